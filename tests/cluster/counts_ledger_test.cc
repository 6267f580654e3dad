// The counts of each table's changes across runs, kills and versions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr int kKills = 6;

TableCounts Agreed(const ChangeCounts& counts) {
  return {.decoded = counts, .applied = counts};
}

class CountsLedgerTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    const std::string schema =
        "CREATE TABLE a (id int PRIMARY KEY, v int);"
        "CREATE TABLE b (id int PRIMARY KEY);"
        "CREATE TABLE k (v text); ALTER TABLE k REPLICA IDENTITY FULL";
    ASSERT_OK(OnSource(schema));
    ASSERT_OK(OnTarget(schema));
    ASSERT_OK(OnSource("CREATE PUBLICATION pub FOR ALL TABLES"));
    ASSERT_OK(OnSource(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')"));
  }

  void FollowToNow() {
    FollowOptions options{
        .endpoints = Both(), .slot = "slot", .publications = {"pub"}};
    options.until_lsn = Now();
    Control control;
    EventRecorder events;
    ASSERT_OK(RunFollow(options, control, events));
  }

  MigrationStatus Status() {
    Control control;
    absl::StatusOr<MigrationStatus> status = RunStatus(
        {.target = target_->ConnInfo("app"), .name = "test"}, control);
    EXPECT_OK(status);
    return status.ok() ? *std::move(status) : MigrationStatus();
  }

  // As the walferry before left it that counted nothing.
  void MakeLedgerOlder() {
    ASSERT_OK(
        OnTarget("DROP TABLE walferry.table_counts; ALTER TABLE "
                 "walferry.stream DROP counted_since; ALTER TABLE "
                 "walferry.migration DROP comparison, DROP "
                 "comparison_before_clients; UPDATE walferry.version "
                 "SET version = 3"));
  }
};

TEST_F(CountsLedgerTest, StatusTellsThemOfAllRuns) {
  ASSERT_OK(OnSource("INSERT INTO a SELECT i FROM generate_series(1, 9) i"));
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  const MigrationStatus first = Status();
  EXPECT_EQ(first.counts,
            (CountsByTable{{{"public", "a"}, Agreed({.inserts = 9})}}));
  EXPECT_TRUE(first.counted_since.valid());
  EXPECT_LT(first.counted_since, first.applied_lsn);
  ASSERT_OK(OnSource("UPDATE a SET v = 1 WHERE id < 4; TRUNCATE b"));
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  const MigrationStatus second = Status();
  EXPECT_EQ(
      second.counts,
      (CountsByTable{{{"public", "a"}, Agreed({.inserts = 9, .updates = 3})},
                     {{"public", "b"}, Agreed({.truncates = 1})}}));
  EXPECT_EQ(second.counted_since, first.counted_since);
}

TEST_F(CountsLedgerTest, AnOlderLedgerIsCarriedOnAndSaysSinceWhen) {
  ASSERT_OK(OnSource("INSERT INTO a SELECT i FROM generate_series(1, 9) i"));
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  ASSERT_NO_FATAL_FAILURE(MakeLedgerOlder());
  const MigrationStatus older = Status();
  EXPECT_EQ(older.counts, CountsByTable());
  EXPECT_FALSE(older.counted_since.valid());
  EXPECT_EQ(older.changes, 9);

  ASSERT_OK(OnSource("DELETE FROM a WHERE id = 1"));
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  const MigrationStatus now = Status();
  EXPECT_EQ(now.counts,
            (CountsByTable{{{"public", "a"}, Agreed({.deletes = 1})}}));
  EXPECT_EQ(now.counted_since, older.applied_lsn);
  EXPECT_EQ(now.changes, 10);
  EXPECT_THAT(TargetValue("SELECT version FROM walferry.version"),
              IsOkAndHolds("5"));
  EXPECT_THAT(TargetValue("SELECT comparison IS NULL FROM walferry.migration"),
              IsOkAndHolds("t"));
}

TEST_F(CountsLedgerTest, LedgersOfOtherVersionsAreRefused) {
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  ASSERT_OK(OnTarget("UPDATE walferry.version SET version = 2"));
  FollowOptions options{
      .endpoints = Both(), .slot = "slot", .publications = {"pub"}};
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  EXPECT_THAT(RunFollow(options, control, events),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: the ledger in schema \"walferry\" is of "
                       "version 2, this walferry needs 5"));
}

TEST_F(CountsLedgerTest, CleanupLeavesNoneAlsoOfAnOlderLedger) {
  for (const bool older : {false, true}) {
    ASSERT_OK(OnSource("INSERT INTO k VALUES ('x')"));
    ASSERT_NO_FATAL_FAILURE(FollowToNow());
    if (older) {
      ASSERT_NO_FATAL_FAILURE(MakeLedgerOlder());
    }
    Control control;
    ASSERT_OK(RunCleanup({.endpoints = Both()}, control).status());
    EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_namespace WHERE nspname = "
                            "'walferry'"),
                IsOkAndHolds("0"))
        << older;
  }
}

// Each transaction changes every table; what has been done is known exactly.
TEST_F(CountsLedgerTest, EachChangeIsCountedOnceHoweverOftenTheRunIsKilled) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string log = absl::StrCat(directory.path(), "/log");
  int steps = 0;
  const auto write = [&] {
    for (int step = 0; step < 40; ++step) {
      ++steps;
      EXPECT_OK(OnSource(absl::Substitute(
          "BEGIN; INSERT INTO a SELECT $0 * 100 + i FROM generate_series(1, "
          "20) i; UPDATE a SET v = 1 WHERE id > $0 * 100;"
          "DELETE FROM a WHERE id = $0 * 100 + 1;"
          "INSERT INTO k VALUES ('same'); COMMIT; INSERT INTO b VALUES ($0)",
          steps)));
    }
  };
  const auto start = [&] {
    return ChildProcess::Start(
        {.command = {WalferryBinary(), "follow", "--name", "test", "--slot",
                     "slot", "--publication", "pub", "--source",
                     source_->ConnInfo("app"), "--target",
                     target_->ConnInfo("app"), "--apply-jobs", "4"},
         .stdout_path = log,
         .stderr_path = log});
  };
  for (int kill = 0; kill < kKills; ++kill) {
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, start());
    const std::string some = absl::StrCat(
        "SELECT count(*) > 0 FROM b WHERE id > ", steps + 3 * kill);
    auto written = std::async(std::launch::async, write);
    ASSERT_TRUE(WaitUntil([&] {
      return TargetValue(some).value_or("") == "t" ||
             walferry.Poll().has_value();
    }));
    ASSERT_FALSE(walferry.Poll().has_value()) << ReadFile(log);
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
    written.get();
    for (const auto& [table, counts] : Status().counts) {
      EXPECT_TRUE(counts.agree()) << ToDisplay(table);
    }
  }
  ASSERT_NO_FATAL_FAILURE(FollowToNow());
  EXPECT_EQ(Status().counts,
            (CountsByTable{{{"public", "a"},
                            Agreed({.inserts = 20 * steps,
                                    .updates = 20 * steps,
                                    .deletes = steps})},
                           {{"public", "b"}, Agreed({.inserts = steps})},
                           {{"public", "k"}, Agreed({.inserts = steps})}}));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

}  // namespace
}  // namespace walferry
