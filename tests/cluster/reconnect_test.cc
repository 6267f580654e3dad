// What a run tells is of the run, however often it had to connect.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "engine/migration/migration.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

class ReconnectTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start());
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    ASSERT_OK(source_->Exec("CREATE TABLE t (id int PRIMARY KEY)"));
    stream_.poll_interval = absl::Milliseconds(50);
    stream_.retry_for = absl::Minutes(1);
  }

  Endpoints Both() const {
    return {.source = source_->ConnInfo(), .target = target_->ConnInfo()};
  }

  // Three changes, and a crash of the target between them.
  void LoseTheTarget(BackgroundRun& run) {
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1), (2)"));
    ASSERT_TRUE(run.events().WaitFor<Lag>(
        [](const Lag& lag) { return lag.changes == 2; }));
    ASSERT_OK(target_->Kill9());
    ASSERT_OK(target_->Restart());
    ASSERT_OK(source_->Exec("INSERT INTO t VALUES (3)"));
    EXPECT_TRUE(run.events().WaitFor<Lag>([](const Lag& lag) {
      return lag.changes == 3 && lag.transactions == 2;
    }));
    run.control().RequestCutover();
    ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
    EXPECT_EQ(report.inserts, 3);
    EXPECT_EQ(run.events().All<CaughtUp>().size(), 1u);
    int64_t changes = 0;
    for (const Lag& lag : run.events().All<Lag>()) {
      EXPECT_GE(lag.changes, changes);
      changes = lag.changes;
    }
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  StreamOptions stream_;
};

TEST_F(ReconnectTest, FollowCountsOnAndCatchesUpOnce) {
  ASSERT_OK(target_->Exec("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t"));
  ASSERT_OK(source_->Exec(
      "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')"));
  BackgroundRun run(FollowOptions{.endpoints = Both(),
                                  .slot = "slot",
                                  .publications = {"pub"},
                                  .stream = stream_});
  LoseTheTarget(run);
}

// It is sent in several batches; those before the last are rolled back with it.
TEST_F(ReconnectTest, FollowCountsABrokenTransactionOnce) {
  ASSERT_OK(target_->Exec("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t"));
  ASSERT_OK(source_->Exec(
      "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')"));
  stream_.batch_bytes = 64 << 10;
  BackgroundRun run(FollowOptions{.endpoints = Both(),
                                  .slot = "slot",
                                  .publications = {"pub"},
                                  .stream = stream_});
  ASSERT_OK_AND_ASSIGN(SqlConnection rival,
                       SqlConnection::Open(target_->ConnInfo()));
  ASSERT_OK(rival.Exec("BEGIN; INSERT INTO t VALUES (20000)"));
  ASSERT_OK(source_->Exec("INSERT INTO t SELECT generate_series(1, 20000)"));
  ASSERT_TRUE(WaitUntil([this] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "wait_event_type = 'Lock'")
               .value_or("") == "1";
  }));
  ASSERT_OK(target_->Kill9());
  ASSERT_OK(target_->Restart());
  EXPECT_TRUE(run.events().WaitFor<Lag>(
      [](const Lag& lag) { return lag.changes >= 20000; }));
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(run.events().All<Lag>().back().changes, 20000);
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM t"),
              IsOkAndHolds("20000"));
}

TEST_F(ReconnectTest, MigrateCountsOnAndCatchesUpOnce) {
  BackgroundRun run(MigrateOptions{.endpoints = Both(), .stream = stream_});
  LoseTheTarget(run);
}

}  // namespace
}  // namespace walferry
