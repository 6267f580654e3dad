// What a batch is to the target: all or nothing, with its position, once.

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/batch_applier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "tests/testing/replica_pair_test.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::MatchesRegex;

using ExactApplierTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(ExactApplierTest);

TEST_P(ExactApplierTest, CommitsPositionAndCountsWithTheChanges) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, 'x' FROM "
                    "generate_series(1, 100) i"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'y' WHERE id % 2 = 0"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE id % 3 = 0"));
  ASSERT_OK(pair().Source("TRUNCATE t"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair().Apply(*batch));
  EXPECT_EQ(counts.inserts, 100);
  EXPECT_EQ(counts.updates, 50);
  EXPECT_EQ(counts.deletes, 33);
  EXPECT_EQ(counts.truncates, 1);
  EXPECT_EQ(counts.transactions, 4);
  EXPECT_TRUE(pair().Equal());
  EXPECT_EQ(pair().session().position(), batch->end_lsn());
  EXPECT_THAT(
      pair().StreamRow("applied_lsn, inserts, updates, deletes, truncates, "
                       "transactions"),
      IsOkAndHolds(
          absl::StrCat(batch->end_lsn().ToString(), "|100|50|33|1|4")));
  EXPECT_THAT(pair().StreamRow(absl::StrCat(
                  "commit_time = '2000-01-01 UTC'::timestamptz + ",
                  batch->commit_time(), " * interval '1 microsecond'")),
              IsOkAndHolds("t"));
}

// One LSN for all of them.
TEST_P(ExactApplierTest, RowsOfOneCopyAreAllApplied) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("COPY t FROM PROGRAM 'seq -f \"%g,x\" 1 1000' "
                    "(FORMAT csv)"));
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair().Replicate());
  EXPECT_EQ(counts.inserts, 1000);
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactApplierTest, InterleavedTransactionsAreAppliedInCommitOrder) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id serial PRIMARY KEY, v text)"));
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(pair().source_conninfo()));
  ASSERT_OK(pair().Source("BEGIN; INSERT INTO t (v) VALUES ('a1')"));
  ASSERT_OK(other.Exec("BEGIN; INSERT INTO t (v) VALUES ('b1')"));
  ASSERT_OK(pair().Source("INSERT INTO t (v) VALUES ('a2')"));
  ASSERT_OK(other.Exec("INSERT INTO t (v) VALUES ('b2'); COMMIT"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'a' || v; COMMIT"));
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair().Replicate());
  EXPECT_EQ(counts.transactions, 2);
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactApplierTest, BatchesThatCutTransactionsCommitOnlyWholeOnes) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'a')"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, 'b' FROM "
                    "generate_series(2, 26) i"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'c' WHERE id < 3"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> messages,
                       pair().Receive());
  ASSERT_OK_AND_ASSIGN(const auto batches, pair().BuildCut(messages, 10));
  ASSERT_EQ(batches.size(), 3);
  EXPECT_TRUE(batches[0]->open());
  ASSERT_OK_AND_ASSIGN(ApplyCounts counts, pair().Apply(*batches[0]));
  EXPECT_EQ(counts.inserts, 10);
  EXPECT_EQ(counts.transactions, 1);
  ASSERT_OK(pair().Apply(*batches[1]));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
  EXPECT_THAT(pair().StreamRow("applied_lsn, inserts"), IsOkAndHolds("0/0|0"));
  EXPECT_EQ(pair().session().position(), Lsn());
  EXPECT_THAT(pair().applier().Advance(batches[2]->end_lsn()),
              StatusIs(absl::StatusCode::kInternal,
                       "the position cannot move inside a transaction"));
  ASSERT_OK_AND_ASSIGN(counts, pair().Apply(*batches[2]));
  EXPECT_EQ(counts.transactions, 2);
  EXPECT_TRUE(pair().Equal());
  EXPECT_THAT(
      pair().StreamRow("applied_lsn, inserts, updates, transactions"),
      IsOkAndHolds(absl::StrCat(batches[2]->end_lsn().ToString(), "|26|2|3")));
}

TEST_P(ExactApplierTest, AdvanceMovesThePositionForwardOnly) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  ASSERT_OK(pair().Apply(*batch));
  ASSERT_OK_AND_ASSIGN(const std::string facts,
                       pair().StreamRow("commit_time, transactions"));
  const Lsn later(batch->end_lsn().value() + 1000);
  ASSERT_OK(pair().applier().Advance(later));
  ASSERT_OK(pair().applier().Advance(batch->end_lsn()));
  EXPECT_EQ(pair().session().position(), later);
  EXPECT_THAT(pair().StreamRow("applied_lsn, commit_time, transactions"),
              IsOkAndHolds(absl::StrCat(later.ToString(), "|", facts)));
  // What ended before it has been applied, or it would have been lost.
  EXPECT_THAT(pair().Apply(*batch),
              StatusIs(absl::StatusCode::kInternal,
                       MatchesRegex("transaction [0-9]+ ends at .*, not beyond "
                                    ".* where the target is already")));
}

TEST_P(ExactApplierTest, EmptyBatchesAndTransactions) {
  ASSERT_OK(pair().Open());
  const ChangeBatch nothing;
  ASSERT_OK(pair().Apply(nothing));
  EXPECT_THAT(pair().StreamRow("applied_lsn"), IsOkAndHolds("0/0"));
  ChangeBatch empty;
  empty.BeginTransaction({.final_lsn = Lsn(0x10), .commit_time = 5, .xid = 7});
  empty.CommitTransaction(
      {.commit_lsn = Lsn(0x10), .end_lsn = Lsn(0x20), .commit_time = 5});
  ASSERT_OK_AND_ASSIGN(const ApplyCounts counts, pair().Apply(empty));
  EXPECT_EQ(counts.transactions, 1);
  EXPECT_THAT(pair().StreamRow("applied_lsn, transactions"),
              IsOkAndHolds("0/20|1"));
}

// A transaction begins where the one before it ended.
TEST_P(ExactApplierTest, AdjacentTransactionsAreNeitherSkippedNorRepeated) {
  ASSERT_OK(pair().Open());
  for (uint64_t start = 0x10; start < 0x50; start += 0x10) {
    ChangeBatch batch;
    batch.BeginTransaction({.final_lsn = Lsn(start), .xid = 7});
    batch.CommitTransaction(
        {.commit_lsn = Lsn(start), .end_lsn = Lsn(start + 0x10)});
    ASSERT_OK(pair().Apply(batch));
  }
  EXPECT_THAT(pair().StreamRow("applied_lsn, transactions"),
              IsOkAndHolds("0/50|4"));
}

TEST_P(ExactApplierTest, ALostConnectionLosesNothing) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (0)"));
  ASSERT_OK(pair().Replicate());
  const Lsn before = pair().session().position();
  ASSERT_OK(pair().Source("INSERT INTO t SELECT generate_series(1, 25)"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> messages,
                       pair().Receive());
  ASSERT_OK_AND_ASSIGN(const auto batches, pair().BuildCut(messages, 10));
  ASSERT_OK(pair().Apply(*batches[0]));
  ASSERT_OK(pair().Target(
      absl::StrCat("SELECT pg_terminate_backend(",
                   pair().session().connection().backend_pid(), ")")));
  EXPECT_EQ(pair().Apply(*batches[1]).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_FALSE(pair().applier().conflict().has_value());
  ASSERT_OK(pair().Open());
  EXPECT_EQ(pair().session().position(), before);
  for (const auto& batch : batches) ASSERT_OK(pair().Apply(*batch));
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactApplierTest, AnInterruptEndsAWaitForALock) {
  Interrupt interrupt;
  UsePair({.session = {.target = {.interrupt = &interrupt}}});
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (0)"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  ASSERT_OK(pair().Open());
  ASSERT_OK(pair().Target("BEGIN; LOCK TABLE t"));
  const int pid = pair().session().connection().backend_pid();
  std::thread operator_thread([&] {
    EXPECT_TRUE(WaitUntil([&] {
      return TargetValue(absl::StrCat("SELECT cardinality(pg_blocking_pids(",
                                      pid, ")) > 0")) == "t";
    }));
    interrupt.Raise();
  });
  EXPECT_EQ(pair().Apply(*batch).status().code(), absl::StatusCode::kCancelled);
  operator_thread.join();
  ASSERT_OK(pair().Target("COMMIT"));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
}

TEST_P(ExactApplierTest, MoreShapesThanStatementsAreKept) {
  constexpr int kTables = 550;  // Two shapes each: more than a thousand.
  std::string tables, changes;
  for (int table = 0; table < kTables; ++table) {
    absl::StrAppend(&tables, "CREATE TABLE t", table,
                    " (id int PRIMARY KEY, v int);");
    absl::StrAppend(&changes, "INSERT INTO t", table, " VALUES (1, 1);",
                    "UPDATE t", table, " SET v = 2;");
  }
  ASSERT_OK(CreateTables(tables));
  ASSERT_OK(pair().Source(changes));
  ASSERT_OK(pair().Replicate());
  EXPECT_TRUE(pair().Equal());
  // And those of the position and of the tables' counts.
  EXPECT_THAT(pair().session().connection().QueryValue(
                  "SELECT count(*) <= 1002 FROM pg_prepared_statements"),
              IsOkAndHolds("t"));
  ASSERT_OK(pair().Source("UPDATE t0 SET v = 3; DELETE FROM t1"));
  ASSERT_OK(pair().Replicate());
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactApplierTest, APipelineFullOfLargeValuesDoesNotBlock) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v bytea)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, decode(repeat('00ff', "
                    "500000), 'hex') FROM generate_series(1, 20) i; "
                    "UPDATE t SET v = '' WHERE id = 3; INSERT INTO t "
                    "SELECT i, '' FROM generate_series(100, 20000) i"));
  ASSERT_OK(pair().Replicate());
  EXPECT_TRUE(pair().Equal());
}

}  // namespace
}  // namespace walferry
