#ifndef TESTS_CLUSTER_MIGRATE_FIXTURE_H_
#define TESTS_CLUSTER_MIGRATE_FIXTURE_H_

// A source and a target server with a database app each, and RunMigration
// between them. For tests/cluster/migrate*_test.cc.

#include <memory>
#include <string>

#include "engine/migration.h"
#include "gtest/gtest.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/writers.h"

namespace walferry {

class MigrateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StartServers();
    if (HasFatalFailure()) return;
    LoadApp();
  }

  // The source gets the writers' tables, the target nothing.
  void LoadApp() {
    for (const PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
    }
    ASSERT_OK(source_->Exec(WriterSchemaSql(2000), "app"));
  }

  void StartServers(const PgServerOptions& source = {},
                    const PgServerOptions& target = {}) {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start(source));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start(target));
  }

  virtual MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = {.source = source_->ConnInfo("app"),
                         .target = target_->ConnInfo("app"),
                         .name = "test"};
    options.split_bytes = 256 << 10;
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  absl::StatusOr<Report> Migrate(const MigrateOptions& options) {
    Control control;
    EventRecorder events;
    return RunMigration(options, control, events);
  }

  absl::Status OnSource(const std::string& sql) {
    return source_->Exec(sql, "app");
  }
  absl::StatusOr<std::string> SourceValue(const std::string& sql) const {
    return source_->QueryValue(sql, "app");
  }
  absl::StatusOr<std::string> TargetValue(const std::string& sql) const {
    return target_->QueryValue(sql, "app");
  }

  void ExpectEqual(const CompareOptions& options = {}) {
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                         options);
  }

  // What walferry may have created on the source.
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

#endif  // TESTS_CLUSTER_MIGRATE_FIXTURE_H_
