#ifndef TESTS_CLUSTER_SCHEMA_FIXTURE_H_
#define TESTS_CLUSTER_SCHEMA_FIXTURE_H_

// A source and a target server, and what carries the schema from one to the
// other. For tests/cluster/schema*_test.cc.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/catalog/catalog.h"
#include "engine/ledger/ledger.h"
#include "engine/schema/pg_tools.h"
#include "engine/schema/schema_dump.h"
#include "engine/schema/schema_restore.h"
#include "engine/schema/subprocess.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

inline constexpr SchemaStage kAllStages[] = {
    SchemaStage::kIndexes, SchemaStage::kObjects, SchemaStage::kForeignKeys,
    SchemaStage::kTriggers, SchemaStage::kEventTriggers};

// The servers are started once for each suite; each test has a new database
// app on both.
class SchemaTest : public ::testing::Test {
 protected:
  static void TearDownTestSuite() {
    source_.reset();
    target_.reset();
  }

  void SetUp() override {
    if (source_ == nullptr) {
      ASSERT_OK_AND_ASSIGN(source_, PgServer::Start(SourceOptions()));
      ASSERT_OK_AND_ASSIGN(target_, PgServer::Start(TargetOptions()));
    }
    for (const PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("DROP DATABASE IF EXISTS app WITH (FORCE)"));
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
    }
    ASSERT_OK_AND_ASSIGN(
        tools_,
        FindPgTools({.source_version = source_->major_version() * 10000,
                     .target_version = target_->major_version() * 10000},
                    PgToolDirectories()));
    MakeLedger();
  }

  virtual PgServerOptions SourceOptions() const { return {}; }
  virtual PgServerOptions TargetOptions() const { return {}; }

  void MakeLedger() {
    ASSERT_OK_AND_ASSIGN(
        PgConnection connection,
        PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
    Ledger ledger(connection, LedgerKey());
    ASSERT_OK(ledger.Create());
    ASSERT_OK(ledger.Start({.kind = "migrate", .phase = "schema"}));
  }

  void OnSource(const std::string& sql) {
    ASSERT_OK(source_->Exec(sql, "app"));
  }
  void OnTarget(const std::string& sql) {
    ASSERT_OK(target_->Exec(sql, "app"));
  }
  void OnBoth(const std::string& sql) {
    OnSource(sql);
    OnTarget(sql);
  }

  absl::StatusOr<std::string> TargetValue(const std::string& sql) {
    return target_->QueryValue(sql, "app");
  }

  absl::StatusOr<Catalog> ReadSource(ScopeOptions scope_options = {}) {
    ASSIGN_OR_RETURN(
        PgConnection connection,
        PgConnection::Open({.conninfo = source_->ConnInfo("app")}));
    ASSIGN_OR_RETURN(const Scope scope,
                     Scope::Create(std::move(scope_options)));
    return ReadCatalog(connection, scope);
  }

  absl::StatusOr<SchemaDump> Dump(const Catalog& catalog,
                                  SchemaDumpOptions options = {}) {
    if (options.tools.pg_dump.empty()) options.tools = tools_;
    if (options.source.empty()) options.source = source_->ConnInfo("app");
    ASSIGN_OR_RETURN(PgConnection connection,
                     PgConnection::Open({.conninfo = options.source}));
    return DumpSchema(options, catalog, connection);
  }

  SchemaRestoreOptions RestoreOptions() const {
    return {.target = {.conninfo = target_->ConnInfo("app")}, .jobs = 3};
  }

  // A new dump, as a process that starts anew has it.
  absl::StatusOr<SchemaRestore> Prepare(SchemaRestoreOptions options,
                                        ScopeOptions scope = {}) {
    ASSIGN_OR_RETURN(const Catalog catalog, ReadSource(std::move(scope)));
    ASSIGN_OR_RETURN(SchemaDump dump, Dump(catalog));
    return SchemaRestore(std::move(options), std::move(dump), catalog);
  }

  static absl::Status RestoreAll(SchemaRestore& restore) {
    RETURN_IF_ERROR(restore.RestorePreData());
    for (const SchemaStage stage : kAllStages) {
      RETURN_IF_ERROR(restore.Restore(stage));
    }
    return absl::OkStatus();
  }

  // What pg_dump itself says of a server, without its key and comments.
  std::vector<std::string> SchemaOf(const PgServer& server) {
    const auto dump = RunSubprocess(
        {.argv = {tools_.pg_dump, "--dbname=" + server.ConnInfo("app"),
                  "--schema-only", "--exclude-schema=walferry",
                  "--no-publications"}});
    EXPECT_OK(dump);
    if (!dump.ok()) return {};
    EXPECT_TRUE(dump->ok()) << dump->errors;
    std::vector<std::string> lines;
    for (const absl::string_view line : absl::StrSplit(dump->output, '\n')) {
      if (line.empty() || absl::StartsWith(line, "\\restrict ") ||
          absl::StartsWith(line, "\\unrestrict ") ||
          absl::StartsWith(line, "-- Dumped ")) {
        continue;
      }
      lines.emplace_back(line);
    }
    return lines;
  }

  void ExpectEqualSchemas() {
    const std::vector<std::string> lines = SchemaOf(*source_);
    EXPECT_GT(lines.size(), 10u);
    EXPECT_THAT(SchemaOf(*target_), testing::ContainerEq(lines));
  }

  inline static std::unique_ptr<PgServer> source_;
  inline static std::unique_ptr<PgServer> target_;
  PgTools tools_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_SCHEMA_FIXTURE_H_
