#ifndef TESTS_CLUSTER_VERIFY_ONLINE_FIXTURE_H_
#define TESTS_CLUSTER_VERIFY_ONLINE_FIXTURE_H_

// RunVerify with VerifyOptions::online: two databases between which a migration
// runs. For tests/cluster/verify_online*_test.cc.

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "engine/stream/meeting_request.h"
#include "tests/cluster/verify_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {

class VerifyOnlineTest : public VerifyTest {
 protected:
  void SetUp() override {
    StartServers({.settings = {{"max_prepared_transactions", "5"}}});
    if (HasFatalFailure()) return;
    CreateApp();
    ASSERT_OK(OnSource(absl::StrCat(
        WriterSchemaSql(2000),
        ";CREATE TABLE large (id int PRIMARY KEY, body text);"
        "CREATE TABLE still (id int PRIMARY KEY, v text);"
        "INSERT INTO still SELECT i, 'v' FROM generate_series(1, 20000) i;"
        "CREATE UNLOGGED TABLE cache (id int PRIMARY KEY);"
        "INSERT INTO cache VALUES (1);"
        "CREATE MATERIALIZED VIEW sums AS SELECT count(*) FROM still")));
  }

  MigrateOptions Migration() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    // Large transactions come in parts.
    options.stream.batch_bytes = 128 << 10;
    return options;
  }
  void Start(const MigrateOptions& options) {
    run_.emplace(options);
    ASSERT_TRUE(run_->CatchesUp()) << run_->Stop();
  }
  void Start() { Start(Migration()); }

  VerifyOptions Online() const {
    VerifyOptions options = Options();
    options.online = true;
    options.schema = true;
    return options;
  }
  std::vector<std::string> OnlineDifferences(const VerifyOptions& options) {
    const absl::StatusOr<VerifyReport> report = Verify(options);
    if (!report.ok()) return {report.status().ToString()};
    std::vector<std::string> lines = Differences(*report);
    for (const ObjectDifference& object : report->objects) {
      if (object.weight != ObjectDifference::Weight::kWarning) {
        lines.push_back(
            absl::StrCat(object.kind, " ", object.object, " ", object.what));
      }
    }
    return lines;
  }

  // Sessions that hold states; on both sides.
  std::string Holding() const {
    std::string count;
    for (const PgServer* const server : {source_.get(), target_.get()}) {
      absl::StrAppend(
          &count,
          server
              ->QueryValue("SELECT count(*) FROM pg_stat_activity WHERE "
                           "application_name LIKE 'walferry%' AND state LIKE "
                           "'idle in transaction%'",
                           "app")
              .value_or("?"));
    }
    return count;
  }
  bool NobodyHolds() {
    return WaitUntil([this] { return Holding() == "00"; });
  }

  AskOptions Asking(bool holds_appliers = false) const {
    return {.endpoints = Both(),
            .holds_appliers = holds_appliers,
            .wait = kTestPatience};
  }

  // What a stream that carries all of it brings.
  bool Arrives(const std::string& sql, const std::string& value) {
    return WaitUntil([&] { return TargetValue(sql).value_or("") == value; });
  }

  std::optional<BackgroundRun> run_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_VERIFY_ONLINE_FIXTURE_H_
