#ifndef TESTS_CLUSTER_APP_FIXTURE_H_
#define TESTS_CLUSTER_APP_FIXTURE_H_

// A source and a target server with an empty database app each.

#include <memory>
#include <string>

#include "engine/options.h"
#include "gtest/gtest.h"
#include "protocol/lsn.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {

class AppTest : public ::testing::Test {
 protected:
  // A test of other servers or roles overrides this and calls its parts.
  void SetUp() override {
    StartServers();
    if (!HasFatalFailure()) CreateApp();
  }

  void StartServers(const PgServerOptions& source = {},
                    const PgServerOptions& target = {}) {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start(source));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start(target));
  }

  void CreateApp() {
    for (const PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
    }
  }

  Endpoints Both() const {
    return {.source = source_->ConnInfo("app"),
            .target = target_->ConnInfo("app"),
            .name = "test"};
  }

  absl::Status OnSource(const std::string& sql) const {
    return source_->Exec(sql, "app");
  }
  absl::Status OnTarget(const std::string& sql) const {
    return target_->Exec(sql, "app");
  }
  absl::StatusOr<std::string> SourceValue(const std::string& sql) const {
    return source_->QueryValue(sql, "app");
  }
  absl::StatusOr<std::string> TargetValue(const std::string& sql) const {
    return target_->QueryValue(sql, "app");
  }

  // Where the source's log ends.
  Lsn Now() const {
    const auto text = SourceValue("SELECT pg_current_wal_insert_lsn()");
    return text.ok() ? Lsn::Parse(*text).value_or(Lsn()) : Lsn();
  }

  // Slots and publications: what walferry may have created on the source.
  std::string LeftOnSource() const {
    return SourceValue(
               "SELECT (SELECT count(*) FROM pg_replication_slots) + (SELECT "
               "count(*) FROM pg_publication)")
        .value_or("?");
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_APP_FIXTURE_H_
