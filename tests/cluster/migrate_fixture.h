#ifndef TESTS_CLUSTER_MIGRATE_FIXTURE_H_
#define TESTS_CLUSTER_MIGRATE_FIXTURE_H_

// RunMigration between two databases. For tests/cluster/migrate*_test.cc.

#include <string>

#include "engine/migration/migration.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/writers.h"

namespace walferry {

class MigrateTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (!HasFatalFailure()) LoadApp();
  }

  // The source gets the writers' tables, the target nothing.
  void LoadApp() { ASSERT_OK(OnSource(WriterSchemaSql(2000))); }

  virtual MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
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

  void ExpectEqual(const CompareOptions& options = {}) {
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                         options);
  }
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_MIGRATE_FIXTURE_H_
