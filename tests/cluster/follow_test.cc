// RunFollow: an existing slot and publication into existing tables.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

class FollowTest : public AppTest,
                   public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam()}, {.bin_dir = GetParam()});
    if (HasFatalFailure()) return;
    CreateApp();
    for (PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec(
          "CREATE TABLE t (id int PRIMARY KEY, v text UNIQUE)", "app"));
    }
    ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t", "app"));
    ASSERT_OK(source_->Exec(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
        "app"));
  }

  FollowOptions Options() const {
    FollowOptions options;
    options.endpoints = Both();
    options.slot = "slot";
    options.publications = {"pub"};
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  absl::StatusOr<Report> Follow(const FollowOptions& options) {
    Control control;
    EventRecorder events;
    return RunFollow(options, control, events);
  }

  std::string ConfirmedFlush() const {
    return source_
        ->QueryValue("SELECT confirmed_flush_lsn FROM pg_replication_slots")
        .value_or("");
  }

  // Of the one stream that the target has.
  std::string StreamValue(const std::string& column) const {
    return target_
        ->QueryValue(absl::StrCat("SELECT ", column, " FROM walferry.stream"),
                     "app")
        .value_or("");
  }
};

TEST_P(FollowTest, EndsWhenAllBeforeTheLsnIsAppliedAlsoOnAnIdleSource) {
  ASSERT_OK(
      source_->Exec("INSERT INTO t SELECT i, i FROM "
                    "generate_series(1, 1000) i",
                    "app"));
  ASSERT_OK(source_->Exec("UPDATE t SET v = 'x' || v WHERE id < 10", "app"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  ASSERT_OK_AND_ASSIGN(const Report report, Follow(options));
  EXPECT_EQ(report.inserts, 1000);
  EXPECT_EQ(report.updates, 9);
  EXPECT_EQ(report.transactions_applied, 2);
  EXPECT_GE(report.applied_lsn, *options.until_lsn);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  // The same again has nothing to do.
  ASSERT_OK_AND_ASSIGN(const Report again, Follow(options));
  EXPECT_EQ(again.transactions_applied, 0);
}

TEST_P(FollowTest, LeavesTransactionsBehindTheLsnForTheNextRun) {
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'a')", "app"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (2, 'b')", "app"));
  ASSERT_OK_AND_ASSIGN(const Report first, Follow(options));
  EXPECT_EQ(first.inserts, 1);
  EXPECT_EQ(first.applied_lsn, *options.until_lsn);
  EXPECT_THAT(target_->QueryValue("SELECT string_agg(v, ',') FROM t", "app"),
              IsOkAndHolds("a"));
  options.until_lsn = Now();
  ASSERT_OK_AND_ASSIGN(const Report second, Follow(options));
  EXPECT_EQ(second.inserts, 1);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_P(FollowTest, AppliesAnOpenTransactionThatIsLargerThanABatch) {
  ASSERT_OK(
      source_->Exec("INSERT INTO t SELECT i, repeat('x', 100) || i FROM "
                    "generate_series(1, 20000) i",
                    "app"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  options.stream.batch_bytes = 64 << 10;
  ASSERT_OK_AND_ASSIGN(const Report report, Follow(options));
  EXPECT_EQ(report.inserts, 20000);
  EXPECT_EQ(report.transactions_applied, 1);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_P(FollowTest, TellsOnceThatItHasCaughtUpAndThenDrainsOnRequest) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'a')", "app"));
  ASSERT_TRUE(run.events().WaitFor<Lag>(
      [](const Lag& lag) { return lag.changes == 1; }));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (2, 'b')", "app"));
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.inserts, 2);
  EXPECT_EQ(run.events().All<CaughtUp>().size(), 1u);
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_P(FollowTest, SaysWhetherItWasBegunBefore) {
  FollowOptions options = Options();
  for (const bool resumed : {false, true}) {
    options.until_lsn = Now();
    Control control;
    EventRecorder events;
    ASSERT_OK(RunFollow(options, control, events));
    ASSERT_EQ(events.All<PhaseStarted>().size(), 1u);
    EXPECT_EQ(events.All<PhaseStarted>().front().resumed, resumed);
  }
}

TEST_P(FollowTest, IsNotCutOverFromAnotherSession) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  Control control;
  EventRecorder told;
  const absl::Status status =
      RunCutover({.target = target_->ConnInfo("app"), .name = "test"}, control,
                 told)
          .status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "test is a follow of slot slot and not a "
                               "migration: there is nothing to cut over"));
  EXPECT_EQ(HintOf(status),
            "end it with Ctrl+C where it runs, or begin it with --until-lsn");
  EXPECT_FALSE(run.ended());
}

TEST_P(FollowTest, StopsAtAConflictWithTheFactsAndGoesOnOnceItIsMended) {
  ASSERT_OK(target_->Exec("INSERT INTO t VALUES (99, 'taken')", "app"));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'fine')", "app"));
  FollowOptions first = Options();
  first.until_lsn = Now();
  ASSERT_OK(Follow(first));
  const std::string confirmed = ConfirmedFlush();
  const std::string applied = StreamValue("applied_lsn || ' ' || inserts");
  EXPECT_EQ(applied, absl::StrCat(first.until_lsn->ToString(), " 1"));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (2, 'taken')", "app"));
  Control control;
  EventRecorder events;
  FollowOptions options = Options();
  options.until_lsn = Now();
  const absl::Status status = RunFollow(options, control, events).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
  ASSERT_EQ(events.All<ConflictFound>().size(), 1u);
  const ConflictFound found = events.All<ConflictFound>().front();
  EXPECT_EQ(found.slot, "slot");
  EXPECT_EQ(ToDisplay(found.conflict.relation), "public.t");
  EXPECT_EQ(found.conflict.kind, ChangeKind::kInsert);
  EXPECT_EQ(found.conflict.type, "insert_exists");
  EXPECT_EQ(found.conflict.key, "id=2");
  EXPECT_EQ(found.conflict.sqlstate, "23505");
  EXPECT_NE(found.conflict.xid, 0u);
  EXPECT_GT(found.conflict.end_lsn, found.conflict.commit_lsn);
  EXPECT_EQ(ConfirmedFlush(), confirmed);
  EXPECT_EQ(StreamValue("applied_lsn || ' ' || inserts"), applied);
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM t WHERE id = 2", "app"),
              IsOkAndHolds("0"));
  ASSERT_OK(target_->Exec("DELETE FROM t WHERE id = 99", "app"));
  ASSERT_OK(Follow(options));
  EXPECT_EQ(StreamValue("applied_lsn || ' ' || inserts"),
            absl::StrCat(options.until_lsn->ToString(), " 2"));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_P(FollowTest, RefusesASlotThatHasMovedBeyondTheTargetsPosition) {
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'a')", "app"));
  FollowOptions options = Options();
  options.until_lsn = Now();
  ASSERT_OK(Follow(options));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (2, 'stolen')", "app"));
  ASSERT_OK(
      source_->Exec("SELECT pg_replication_slot_advance('slot', "
                    "pg_current_wal_lsn())",
                    "app"));
  options.until_lsn = Now();
  const absl::Status status = Follow(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::EndsWith("the changes between are lost"));
}

TEST_P(FollowTest, LetsAnIdleSourceShutDown) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  // A fast shutdown waits until its walsenders have sent and confirmed all.
  ASSERT_OK(source_->Stop(StopMode::kFast));
  ASSERT_OK(source_->Restart());
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'after')", "app"));
  EXPECT_TRUE(WaitUntil([&] {
    return target_->QueryValue("SELECT count(*) FROM t", "app").value_or("") ==
           "1";
  }));
}

TEST_P(FollowTest, OutlivesCrashesOfBothServers) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  for (PgServer* server : {source_.get(), target_.get()}) {
    ASSERT_OK(server->Exec(
        server == source_.get()
            ? absl::StrCat(WriterSchemaSql(500),
                           ";ALTER PUBLICATION pub ADD TABLE accounts, "
                           "orders, notes, tags")
            : absl::StrCat(WriterSchemaSql(500)),
        "app"));
  }
  // The slot sees the publication as of the change it decodes.
  ASSERT_OK(
      source_->Exec("SELECT pg_drop_replication_slot('slot'); SELECT "
                    "pg_create_logical_replication_slot('slot', "
                    "'pgoutput')",
                    "app"));
  BackgroundRun run(Options());
  Writers writers(source_->ConnInfo("app"), 3, seed);
  for (PgServer* server : {target_.get(), source_.get(), target_.get()}) {
    const int64_t done = writers.transactions();
    ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 300; }));
    ASSERT_OK(server->Kill9());
    ASSERT_OK(server->Restart());
  }
  const int64_t done = writers.transactions();
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 300; }));
  writers.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"),
                       {.sequences = false});
}

TEST_P(FollowTest, SaysWhatIsMissingBeforeItStarts) {
  FollowOptions options = Options();
  options.slot = "no_slot";
  EXPECT_THAT(Follow(options), StatusIs(absl::StatusCode::kNotFound,
                                        "source: slot no_slot does not exist"));
  options = Options();
  options.publications = {"no_pub"};
  EXPECT_THAT(Follow(options),
              StatusIs(absl::StatusCode::kNotFound,
                       "source: publication no_pub does not exist"));
  ASSERT_OK(source_->Exec("CREATE PUBLICATION empty", "app"));
  options.publications = {"empty"};
  EXPECT_THAT(Follow(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "source: publication empty publishes no table"));
}

TEST_P(FollowTest, KeepsASecondProcessOut) {
  BackgroundRun first(Options());
  ASSERT_TRUE(first.CatchesUp()) << first.Stop();
  const std::string epoch = StreamValue("epoch");
  BackgroundRun second(Options());
  // It has asked for the migration's lock, and has not got it.
  ASSERT_TRUE(WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity a WHERE query LIKE "
                   "'SELECT pg_try_advisory_lock(%' AND state = 'idle' AND NOT "
                   "EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND "
                   "l.locktype = 'advisory')",
                   "app")
               .value_or("") == "1";
  }));
  EXPECT_EQ(second.Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(StreamValue("epoch"), epoch);
  EXPECT_FALSE(first.ended());
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1, 'a')", "app"));
  first.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, first.Result());
  EXPECT_EQ(report.inserts, 1);
  EXPECT_EQ(StreamValue("epoch"), epoch);
}

INSTANTIATE_TEST_SUITE_P(Servers, FollowTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
