// That every change is applied once is counted, table by table.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/cluster/ahead_fixture.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

// "t 3/3 2/2 1/1 0/0": inserts, updates, deletes, truncates of each table as
// decoded/applied.
constexpr char kCountsSql[] =
    "SELECT coalesce(string_agg(format('%s %s/%s %s/%s %s/%s %s/%s', "
    "table_name, decoded_inserts, applied_inserts, decoded_updates, "
    "applied_updates, decoded_deletes, applied_deletes, decoded_truncates, "
    "applied_truncates), ', ' ORDER BY schema_name, table_name), '') "
    "FROM walferry.table_counts";

constexpr char kHint[] =
    "this is a fault of walferry, please report it; the position has not "
    "moved, and a run with --apply-jobs 1 may get past it";

class TableCountsTest : public ReplicaPairTest {
 protected:
  std::string Counts() { return TargetValue(kCountsSql); }
};

INSTANTIATE_REPLICA_PAIR_TEST(TableCountsTest);

TEST_P(TableCountsTest, EachChangeOfEachTableIsCountedOnce) {
  ASSERT_OK(
      CreateTables("CREATE TABLE a (id int PRIMARY KEY, v text);"
                   "CREATE TABLE b (id int PRIMARY KEY);"
                   "CREATE TABLE \"q\"\"\\,{}\" (id int PRIMARY KEY)"));
  ASSERT_OK(
      pair().Source("BEGIN; INSERT INTO a SELECT i FROM generate_series(1, 10) "
                    "i; UPDATE a SET v = 'x' WHERE id <= 4;"
                    "DELETE FROM a WHERE id = 5; COMMIT;"
                    "INSERT INTO b VALUES (1);"
                    "INSERT INTO \"q\"\"\\,{}\" VALUES (1)"));
  ExpectReplicates();
  EXPECT_EQ(Counts(),
            "a 10/10 4/4 1/1 0/0, b 1/1 0/0 0/0 0/0, q\"\\,{} 1/1 0/0 0/0 0/0");
  // What is not changed again keeps its counts.
  ASSERT_OK(pair().Source("DELETE FROM a; TRUNCATE b"));
  ExpectReplicates();
  EXPECT_EQ(
      Counts(),
      "a 10/10 4/4 10/10 0/0, b 1/1 0/0 0/0 1/1, q\"\\,{} 1/1 0/0 0/0 0/0");
}

TEST_P(TableCountsTest, ChangesThatUndoEachOtherCountWithTheirBatch) {
  ASSERT_OK(
      CreateTables("CREATE TABLE a (id int PRIMARY KEY, v text);"
                   "CREATE TABLE k (v text); ALTER TABLE k REPLICA IDENTITY "
                   "FULL"));
  ASSERT_OK(
      pair().Source("BEGIN; INSERT INTO a VALUES (1, 'a'), (2, 'b');"
                    "UPDATE a SET v = 'c' WHERE id = 1;"
                    "UPDATE a SET id = 3 WHERE id = 1;"
                    "DELETE FROM a WHERE id = 3; INSERT INTO a VALUES (3, 'd');"
                    "DELETE FROM a WHERE id = 3;"
                    "INSERT INTO k VALUES ('same'), ('same'), ('other');"
                    "UPDATE k SET v = 'same' WHERE v = 'other';"
                    "DELETE FROM k WHERE ctid = (SELECT min(ctid) FROM k);"
                    "COMMIT"));
  ExpectReplicates();
  EXPECT_EQ(Counts(), "a 3/3 2/2 2/2 0/0, k 3/3 1/1 1/1 0/0");
  EXPECT_EQ(pair().applier().fallbacks(), 0);
}

TEST_P(TableCountsTest, UpdatesOfKeysAndOfOtherValuesThanTheLargeOne) {
  ASSERT_OK(
      CreateTables("CREATE TABLE a (id int PRIMARY KEY, n int, large text);"
                   "ALTER TABLE a ALTER large SET STORAGE EXTERNAL"));
  ASSERT_OK(
      pair().Source("INSERT INTO a SELECT i, 0, repeat('x', 9000) FROM "
                    "generate_series(1, 5) i"));
  ASSERT_OK(pair().Source("UPDATE a SET n = 1; UPDATE a SET n = 2"));
  ExpectReplicates();
  ASSERT_OK(pair().Source("UPDATE a SET id = id + 100, large = 'y'"));
  ASSERT_OK(pair().Source("UPDATE a SET id = id + 100, n = 3 WHERE id < 103"));
  ExpectReplicates();
  EXPECT_EQ(Counts(), "a 5/5 17/17 0/0 0/0");
}

TEST_P(TableCountsTest, ValuesThatAreExchangedCountAsWhatTheyWere) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(1, 10) i"));
  ExpectReplicates();
  // In sets these updates collide, and become deletes and inserts.
  ASSERT_OK(
      pair().Source("BEGIN; UPDATE t SET u = -1 WHERE id = 1; UPDATE t SET "
                    "u = 1 WHERE id = 2; UPDATE t SET u = 2 WHERE id = 1; "
                    "COMMIT"));
  ExpectReplicates();
  EXPECT_EQ(Counts(), "t 10/10 3/3 0/0 0/0");
}

TEST_P(TableCountsTest, WhatWasTriedInVainIsNotCounted) {
  ASSERT_OK(
      CreateTables("CREATE TABLE t (id int PRIMARY KEY, a text, c text);"
                   "CREATE TABLE u (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'a1', 'c1')"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Target("ALTER TABLE t ADD a2 text; UPDATE t SET a2 = a;"
                    "ALTER TABLE t DROP a; ALTER TABLE t RENAME a2 TO a"));
  // The sets before a truncate have succeeded when those behind it fail.
  ASSERT_OK(
      pair().Source("BEGIN; INSERT INTO u SELECT generate_series(1, 200);"
                    "TRUNCATE u; INSERT INTO u VALUES (1);"
                    "UPDATE t SET a = 'x'; INSERT INTO t SELECT i FROM "
                    "generate_series(2, 300) i; COMMIT"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(Counts(), "t 300/300 1/1 0/0 0/0, u 201/201 0/0 0/0 1/1");
  // Whole, halves, quarters, and what is done one by one.
  EXPECT_GE(pair().applier().fallbacks(), GetParam().sets ? 1 : 0);
}

TEST_P(TableCountsTest, ATransactionThatIsCutIsCountedWhenItIsWhole) {
  ASSERT_OK(
      CreateTables("CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE b (id int PRIMARY KEY)"));
  ASSERT_OK(
      pair().Source("BEGIN; INSERT INTO a SELECT generate_series(1, 15);"
                    "INSERT INTO b SELECT generate_series(1, 5);"
                    "DELETE FROM a WHERE id < 4; COMMIT"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> messages,
                       pair().Receive());
  ASSERT_OK_AND_ASSIGN(const auto batches, pair().BuildCut(messages, 10));
  ASSERT_EQ(batches.size(), 3u);
  ASSERT_OK(pair().Apply(*batches[0]));
  ASSERT_OK(pair().Apply(*batches[1]));
  EXPECT_EQ(Counts(), "");
  ASSERT_OK(pair().Apply(*batches[2]));
  EXPECT_EQ(Counts(), "a 15/15 0/0 3/3 0/0, b 5/5 0/0 0/0 0/0");
}

TEST_P(TableCountsTest, ABatchThatHoldsLessThanWasDecodedIsRefused) {
  ASSERT_OK(
      CreateTables("CREATE TABLE a (id int PRIMARY KEY);"
                   "CREATE TABLE t (id int PRIMARY KEY, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1), (2), (3); UPDATE t SET v = 'x' "
                    "WHERE id = 1; INSERT INTO a VALUES (1)"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  batch->CountDecoded(0, ChangeKind::kUpdate);
  batch->CountDecoded(0, ChangeKind::kDelete);
  const absl::Status status = pair().Apply(*batch).status();
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kInternal,
               absl::StrCat("commit at ", batch->end_lsn().ToString(),
                            ": changes of public.t were lost or applied twice, "
                            "so that nothing of this batch is committed; "
                            "updates: 2 decoded, 1 applied; deletes: 1 "
                            "decoded, 0 applied")));
  EXPECT_EQ(HintOf(status), kHint);
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(Counts(), "");
  EXPECT_THAT(pair().StreamRow("applied_lsn, inserts"), IsOkAndHolds("0/0|0"));
}

TEST_P(TableCountsTest, ABatchThatHoldsMoreThanWasDecodedIsRefused) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  const auto relation = batch->decoded()[0].relation;
  batch->BeginTransaction({.final_lsn = Lsn(batch->end_lsn().value() + 8)});
  batch->AddTruncate({relation}, false);
  batch->CommitTransaction({.end_lsn = Lsn(batch->end_lsn().value() + 16)});
  EXPECT_THAT(
      pair().Apply(*batch),
      StatusIs(absl::StatusCode::kInternal,
               absl::StrCat("commit at ", batch->end_lsn().ToString(),
                            ": changes of public.t were lost or applied "
                            "twice, so that nothing of this batch is "
                            "committed; truncates: 0 decoded, 1 "
                            "applied")));
  EXPECT_THAT(pair().StreamRow("applied_lsn"), IsOkAndHolds("0/0"));
}

TEST_P(TableCountsTest, APartOfATransactionThatHoldsLessIsRefusedAtOnce) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t SELECT generate_series(1, 15)"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> messages,
                       pair().Receive());
  ASSERT_OK_AND_ASSIGN(const auto batches, pair().BuildCut(messages, 10));
  ASSERT_TRUE(batches[0]->open());
  batches[0]->CountDecoded(0, ChangeKind::kInsert);
  EXPECT_THAT(
      pair().Apply(*batches[0]),
      StatusIs(absl::StatusCode::kInternal,
               "commit at 0/0: changes of public.t were lost or applied "
               "twice, so that nothing of this batch is committed; "
               "inserts: 11 decoded, 10 applied"));
}

// Whoever is in the way of the counts has the commit fail.
TEST_P(TableCountsTest, NothingIsCommittedIfTheLedgerDoesNotTakeTheCounts) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(
      pair().Target("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
                    "'BEGIN RETURN NULL; END'; CREATE TRIGGER no BEFORE INSERT "
                    "ON walferry.table_counts FOR EACH ROW EXECUTE FUNCTION "
                    "no(); ALTER TABLE walferry.table_counts ENABLE ALWAYS "
                    "TRIGGER no"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  EXPECT_FALSE(pair().Replicate().ok());
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
  EXPECT_THAT(pair().StreamRow("applied_lsn"), IsOkAndHolds("0/0"));
}

class AheadCountsTest : public AheadTest {
 protected:
  std::string Counts() {
    return pair_->target().QueryValue(kCountsSql).value_or("?");
  }
};

INSTANTIATE_AHEAD_TEST(AheadCountsTest);

TEST_P(AheadCountsTest, WhatIsAheadAndWhatIsLateCountTogether) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY, v text)");
  RunSecondAhead(
      "INSERT INTO t SELECT i, 'a' FROM generate_series(1, 10) i",
      "BEGIN; INSERT INTO t SELECT i, 'b' FROM generate_series(11, 30) i; "
      "UPDATE t SET v = 'c' WHERE id = 4; DELETE FROM t WHERE id = 11; COMMIT");
  EXPECT_EQ(Counts(), "t 30/30 1/1 1/1 0/0");
}

TEST_P(AheadCountsTest, WhatWasAheadIsRefusedIfSomethingIsLost) {
  CreateTables("CREATE TABLE t (id int PRIMARY KEY)");
  const auto first = BatchOf("INSERT INTO t VALUES (1)");
  const auto second = BatchOf("INSERT INTO t SELECT generate_series(2, 20)");
  second->CountDecoded(0, ChangeKind::kInsert);
  sides_[0].applier->Enter(*first);
  sides_[1].applier->Enter(*second);
  sides_[1].applier->ApplyAhead(*second);
  EXPECT_EQ(Ahead(), "1");
  ASSERT_OK(Turn(0, *first));
  EXPECT_THAT(
      Turn(1, *second),
      StatusIs(absl::StatusCode::kInternal,
               ::testing::HasSubstr("inserts: 20 decoded, 19 applied")));
  EXPECT_EQ(Counts(), "t 1/1 0/0 0/0 0/0");
  EXPECT_EQ(State(pair_->target()), "(1)");
}

}  // namespace
}  // namespace walferry
