// Turns: who has one and waits for those behind, and how it ends if one fails.

#include <future>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/ahead_fixture.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using AheadTurnTest = AheadTest;

INSTANTIATE_AHEAD_TEST(AheadTurnTest);

// The younger has the row, and waits for the older by our own order: no server
// sees that as a deadlock.
TEST_P(AheadTurnTest, WhoIsInTheWayGivesWay) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 30) i")));
  const auto older = BatchOf("UPDATE t SET v = 1");
  const auto younger = BatchOf("UPDATE t SET v = v + 1");
  // The younger one does not know that there is one before.
  sides_[1].applier->Enter(*younger);
  sides_[1].applier->ApplyAhead(*younger);
  ASSERT_EQ(Ahead(), "1");
  sides_[0].applier->Enter(*older);
  ASSERT_OK(Turn(0, *older));
  EXPECT_EQ(Ahead(), "0");
  EXPECT_THAT(pair_->target().QueryValue("SELECT sum(v) FROM t"),
              IsOkAndHolds("30"));
  ASSERT_OK(Turn(1, *younger));
  EXPECT_TRUE(pair_->Equal());
}

// Between them stands a session that is not ours.
TEST_P(AheadTurnTest, WhoIsInTheWayOfWhoIsInTheWayGivesWay) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 30) i")));
  const auto older = BatchOf("UPDATE t SET v = 1 WHERE id < 10");
  const auto younger = BatchOf("UPDATE t SET v = 2 WHERE id > 10");
  sides_[0].applier->Enter(*older);
  sides_[1].applier->Enter(*younger);
  sides_[1].applier->ApplyAhead(*younger);
  ASSERT_EQ(Ahead(), "1");
  auto between = std::async(std::launch::async, [&] {
    return pair_->Target(
        "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT");
  });
  ASSERT_TRUE(WaitUntil([&] {
    return server_
               ->QueryValue("SELECT count(*) FROM pg_locks WHERE NOT granted")
               .value_or("") == "1";
  }));
  ASSERT_OK(Turn(0, *older));
  ASSERT_OK(between.get());
  ASSERT_OK(Turn(1, *younger));
  EXPECT_TRUE(pair_->Equal());
}

TEST_P(AheadTurnTest, AConflictLeavesNothingOfWhatIsAheadOfIt) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, 0 FROM "
                             "generate_series(1, 30) i")));
  ASSERT_OK_AND_ASSIGN(const std::string position,
                       pair_->StreamRow("applied_lsn, transactions"));
  ASSERT_OK(pair_->Target("DELETE FROM t WHERE id = 7"));
  const auto older = BatchOf("UPDATE t SET v = 1 WHERE id < 10");
  const auto younger = BatchOf("UPDATE t SET v = 2 WHERE id > 10");
  sides_[0].applier->Enter(*older);
  sides_[1].applier->Enter(*younger);
  sides_[1].applier->ApplyAhead(*younger);
  ASSERT_EQ(Ahead(), "1");
  EXPECT_EQ(Turn(0, *older).code(), absl::StatusCode::kFailedPrecondition);
  const std::optional<Conflict>& conflict = sides_[0].applier->conflict();
  ASSERT_TRUE(conflict.has_value());
  EXPECT_EQ(conflict->type, "update_missing");
  EXPECT_EQ(conflict->key, "id=7");
  sides_.clear();
  EXPECT_THAT(pair_->StreamRow("applied_lsn, transactions"),
              IsOkAndHolds(position));
  EXPECT_THAT(pair_->target().QueryValue("SELECT sum(v) FROM t"),
              IsOkAndHolds("0"));
}

// The stream ends: no turn comes, but the one that is there is waited for.
TEST_P(AheadTurnTest, WhoGetsNoTurnIsInNobodysWay) {
  // Of an expression nobody sees beforehand whose value is whose.
  CreateTables(
      "CREATE TABLE t (id int PRIMARY KEY, u int);"
      "CREATE UNIQUE INDEX ON t ((u + 0))");
  ASSERT_OK(Turn(0, *BatchOf("INSERT INTO t SELECT i, i FROM "
                             "generate_series(1, 30) i")));
  const auto older = BatchOf("UPDATE t SET u = 70 WHERE id = 1");
  const auto younger = BatchOf(
      "UPDATE t SET u = 90 WHERE id = 1; UPDATE t SET u = 70 WHERE id = 2");
  // What is ahead of the younger has the value first.
  sides_[0].applier->Enter(*older);
  sides_[1].applier->Enter(*younger);
  sides_[1].applier->ApplyAhead(*younger);
  ASSERT_EQ(Ahead(), "1");
  sides_[1].applier->GiveUp();
  EXPECT_EQ(Ahead(), "0");
  ASSERT_OK(sides_[0].applier->Apply(*older));
  EXPECT_THAT(pair_->target().QueryValue("SELECT u FROM t WHERE id = 1"),
              IsOkAndHolds("70"));
}

TEST_P(AheadTurnTest, ALostLinkIsToldAtTheTurn) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)");
  const auto older = BatchOf("INSERT INTO t VALUES (1, 1)");
  const auto younger = BatchOf("INSERT INTO t VALUES (2, 2)");
  sides_[0].applier->Enter(*older);
  sides_[1].applier->Enter(*younger);
  sides_[1].applier->ApplyAhead(*younger);
  ASSERT_EQ(Ahead(), "1");
  ASSERT_OK(server_->Exec(absl::StrCat("SELECT pg_terminate_backend(",
                                       sides_[1].applier->session_pid(),
                                       ", 10000)")));
  ASSERT_OK(Turn(0, *older));
  EXPECT_EQ(Turn(1, *younger).code(), absl::StatusCode::kUnavailable);
  EXPECT_FALSE(sides_[1].applier->conflict().has_value());
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM t"),
              IsOkAndHolds("1"));
}

}  // namespace
}  // namespace walferry
