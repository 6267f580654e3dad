#ifndef TESTS_CLUSTER_CHECK_FIXTURE_H_
#define TESTS_CLUSTER_CHECK_FIXTURE_H_

// Two real servers of one version, on which tests of the preflight each have a
// database of their own.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "engine/catalog/catalog.h"
#include "engine/check/check.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tests/testing/fake_pg_dump.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {

class CheckTest : public ::testing::TestWithParam<std::string> {
 protected:
  static void TearDownTestSuite() { Servers().clear(); }

  void SetUp() override {
    source_ = Server("source");
    target_ = Server("target");
    ASSERT_NE(source_, nullptr);
    ASSERT_NE(target_, nullptr);
    dbname_ = absl::AsciiStrToLower(absl::StrReplaceAll(
        ::testing::UnitTest::GetInstance()->current_test_info()->name(),
        {{"/", "_"}}));
    dbname_.resize(std::min<size_t>(dbname_.size(), 60));
    for (PgServer* const server : {source_, target_}) {
      ASSERT_OK(server->Exec(absl::StrCat("CREATE DATABASE ", dbname_)));
    }
    source_conninfo_ = source_->ConnInfo(dbname_);
    target_conninfo_ = target_->ConnInfo(dbname_);
    // Whatever another test does to the roles is of no interest.
    options_.no_acl = true;
    // Nor which clients this machine has: some servers are newer.
    UseClient("99.0");
  }

  void UseClient(const std::string& version) {
    client_.reset();
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    client_.emplace(std::move(directory));
    options_.pg_dump = WriteFakePgDump(client_->path(), version);
  }

  void OnSource(const std::string& sql) {
    ASSERT_OK(source_->Exec(sql, dbname_));
  }
  void OnTarget(const std::string& sql) {
    ASSERT_OK(target_->Exec(sql, dbname_));
  }

  // A role without any rights; both sides connect as it from now on.
  void UseRoleOnSource(const std::string& role, absl::string_view attributes) {
    OnSource(absl::StrCat("CREATE ROLE ", role, " LOGIN ", attributes));
    source_conninfo_ = source_->ConnInfoAs(role, "", dbname_);
  }
  void UseRoleOnTarget(const std::string& role, absl::string_view attributes) {
    OnTarget(absl::StrCat("CREATE ROLE ", role, " LOGIN ", attributes));
    target_conninfo_ = target_->ConnInfoAs(role, "", dbname_);
  }

  absl::StatusOr<CheckReport> TryCheck() {
    ASSIGN_OR_RETURN(PgConnection source, Open(source_conninfo_, false));
    ASSIGN_OR_RETURN(PgConnection target, Open(target_conninfo_, false));
    absl::StatusOr<PgConnection> walsender = Open(
        walsender_conninfo_.empty() ? source_conninfo_ : walsender_conninfo_,
        true);
    ASSIGN_OR_RETURN(const Scope scope, Scope::Create(options_.scope));
    ASSIGN_OR_RETURN(const Catalog catalog, ReadCatalog(source, scope));
    CheckInputs inputs{
        .source = &source, .target = &target, .resuming = resuming_};
    if (walsender.ok()) {
      inputs.source_replication = &*walsender;
    } else {
      inputs.replication_error = walsender.status();
    }
    absl::StatusOr<CheckReport> report = Check(options_, catalog, inputs);
    EXPECT_FALSE(source.in_transaction());
    EXPECT_FALSE(target.in_transaction());
    return report;
  }

  // Every check could be carried out.
  CheckReport RunCheck() {
    absl::StatusOr<CheckReport> report = TryCheck();
    EXPECT_OK(report);
    if (!report.ok()) return {};
    for (const Finding& finding : report->findings) {
      EXPECT_NE(finding.subject, "check") << finding.id << ": " << finding.text;
    }
    return *std::move(report);
  }

  static absl::StatusOr<PgConnection> Open(const std::string& conninfo,
                                           bool replication) {
    return PgConnection::Open({.conninfo = conninfo,
                               .replication = replication,
                               .settings = {{"client_min_messages", "error"}}});
  }

  static std::map<std::string, std::unique_ptr<PgServer>>& Servers() {
    static auto* const servers =
        new std::map<std::string, std::unique_ptr<PgServer>>();
    return *servers;
  }

  // Started when a test asks for it first, shared by those that come later.
  static PgServer* Server(const std::string& side) {
    std::unique_ptr<PgServer>& server =
        Servers()[absl::StrCat(side, " ", GetParam())];
    if (server == nullptr) {
      absl::StatusOr<std::unique_ptr<PgServer>> started =
          PgServer::Start({.bin_dir = GetParam(),
                           .settings = {{"max_prepared_transactions", "5"}}});
      EXPECT_OK(started);
      if (started.ok()) server = *std::move(started);
    }
    return server.get();
  }

  bool ServerIsAtLeast(int major) const {
    return source_->major_version() >= major;
  }

  PgServer* source_ = nullptr;
  PgServer* target_ = nullptr;
  std::string dbname_;
  std::string source_conninfo_;
  std::string target_conninfo_;
  std::string walsender_conninfo_;  // "": as the source's.
  MigrateOptions options_;
  std::optional<TempDir> client_;
  bool resuming_ = false;
};

// "severity subject: text" of every finding of that id, in order.
inline std::vector<std::string> Found(const CheckReport& report,
                                      absl::string_view id) {
  std::vector<std::string> lines;
  for (const Finding& finding : report.findings) {
    if (finding.id != id) continue;
    lines.push_back(absl::StrCat(SeverityName(finding.severity),
                                 finding.acceptable ? "? " : " ",
                                 finding.subject, ": ", finding.text));
  }
  return lines;
}

// The hint of the one finding of that id that has one, or "".
inline std::string HintFor(const CheckReport& report, absl::string_view id) {
  for (const Finding& finding : report.findings) {
    if (finding.id == id && !finding.hint.empty()) return finding.hint;
  }
  return "";
}

// Ids of findings that block or warn, each once, in order.
inline std::vector<std::string> Complaints(const CheckReport& report) {
  std::vector<std::string> ids;
  for (const Finding& finding : report.findings) {
    if (finding.severity != Severity::kBlocking &&
        finding.severity != Severity::kWarning) {
      continue;
    }
    if (ids.empty() || ids.back() != finding.id) ids.push_back(finding.id);
  }
  return ids;
}

}  // namespace walferry

#endif  // TESTS_CLUSTER_CHECK_FIXTURE_H_
