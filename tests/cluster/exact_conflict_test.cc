// Changes that the target refuses: nothing of them stays, and all is told.

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/batch_applier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_time.h"
#include "protocol/status.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

using ExactConflictTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(ExactConflictTest);

TEST_P(ExactConflictTest, AnErrorUndoesTheOpenTransactionToo) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Target("INSERT INTO t VALUES (15)"));
  ASSERT_OK(pair().Source("INSERT INTO t SELECT generate_series(1, 20)"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> messages,
                       pair().Receive());
  ASSERT_OK_AND_ASSIGN(const auto batches, pair().BuildCut(messages, 10));
  ASSERT_OK(pair().Apply(*batches[0]));
  EXPECT_THAT(pair().Apply(*batches[1]),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("(id=15), transaction ")));
  EXPECT_EQ(TargetValue("SELECT string_agg(id::text, ' ') FROM t"), "15");
  EXPECT_THAT(pair().Apply(*batches[1]),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the applier has failed before"));
  // The session is usable all the same.
  EXPECT_FALSE(pair().session().connection().in_transaction());
  std::unique_ptr<Applier> fresh =
      MakeBatchApplier(pair().session(), ApplierOptions());
  ASSERT_OK(pair().Target("DELETE FROM t"));
  for (const auto& batch : batches) ASSERT_OK(fresh->Apply(*batch));
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactConflictTest, AUniqueViolationTellsEverythingAndMovesNothing) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (tenant int, id int, v text, PRIMARY "
                  "KEY (id, tenant))"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (3, 1, 'first')"));
  ASSERT_OK(pair().Replicate());
  const Lsn before = pair().session().position();
  ASSERT_OK_AND_ASSIGN(const std::string row_before,
                       pair().StreamRow("stream.*"));
  ASSERT_OK(pair().Target("INSERT INTO t VALUES (3, 7, 'in the way')"));
  ASSERT_OK(
      pair().Source("BEGIN; INSERT INTO t VALUES (3, 6, 'a'); INSERT "
                    "INTO t VALUES (3, 7, 'b'); INSERT INTO t VALUES (3, "
                    "8, 'c'); COMMIT"));
  const std::unique_ptr<ChangeBatch> batch = ReceiveBatch();
  const BatchTransaction& transaction = batch->transactions().front();
  const absl::Status status = pair().Apply(*batch).status();
  const std::string message =
      "duplicate key value violates unique constraint \"t_pkey\" (SQLSTATE "
      "23505): Key (id, tenant)=(7, 3) already exists.";
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat(
                           "insert of public.t (tenant=3, id=7), transaction ",
                           transaction.xid, ", committed ",
                           absl::FormatTime("%Y-%m-%dT%H:%M:%E*SZ",
                                            FromPgTime(transaction.commit_time),
                                            absl::UTCTimeZone()),
                           ", ending at ", transaction.end_lsn.ToString(), ": ",
                           message)));
  EXPECT_EQ(SqlStateOf(status), "23505");
  ASSERT_TRUE(pair().applier().conflict().has_value());
  const Conflict& conflict = *pair().applier().conflict();
  EXPECT_EQ(conflict.relation, (QualifiedName{"public", "t"}));
  EXPECT_EQ(conflict.kind, ChangeKind::kInsert);
  EXPECT_EQ(conflict.key, "tenant=3, id=7");
  EXPECT_EQ(conflict.xid, transaction.xid);
  EXPECT_EQ(conflict.commit_lsn, transaction.commit_lsn);
  EXPECT_EQ(conflict.end_lsn, transaction.end_lsn);
  EXPECT_EQ(conflict.commit_time, FromPgTime(transaction.commit_time));
  EXPECT_EQ(conflict.type, "insert_exists");
  EXPECT_EQ(conflict.sqlstate, "23505");
  EXPECT_EQ(conflict.message, message);
  EXPECT_THAT(pair().StreamRow("stream.*"), IsOkAndHolds(row_before));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "2");

  // Mended, it goes on where it was.
  ASSERT_OK(pair().Target("DELETE FROM t WHERE id = 7"));
  ASSERT_OK(pair().Open());
  EXPECT_EQ(pair().session().position(), before);
  ASSERT_OK(pair().Apply(*batch));
  EXPECT_TRUE(pair().Equal());
}

TEST_P(ExactConflictTest, AnUpdateThatViolatesAnotherKeyIsUpdateExists) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, u int)"));
  ASSERT_OK(pair().Target("CREATE UNIQUE INDEX own ON t (u)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET u "
                    "= 1 WHERE id = 2"));
  EXPECT_THAT(pair().Replicate(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("update of public.t (id=2), ")));
  EXPECT_EQ(pair().applier().conflict()->type, "update_exists");
}

TEST_P(ExactConflictTest, MissingRowsAreConflicts) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE "
                  "TABLE f (a int, b text, c int, d int, e int); ALTER "
                  "TABLE f REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 1), (2, 2); INSERT INTO f "
                    "VALUES (1, 'b', NULL, 4, 5)"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(pair().Target("TRUNCATE t, f"));
  struct Missing {
    std::string sql, type, key;
    ChangeKind kind;
  };
  for (const Missing& missing :
       std::vector<Missing>{{"UPDATE t SET v = 3 WHERE id = 1",
                             "update_missing", "id=1", ChangeKind::kUpdate},
                            {"UPDATE t SET id = 3 WHERE id = 1",
                             "update_missing", "id=1", ChangeKind::kUpdate},
                            {"DELETE FROM t WHERE id = 2", "delete_missing",
                             "id=2", ChangeKind::kDelete},
                            {"DELETE FROM f", "delete_missing",
                             "a=1, b=b, c=NULL, d=4", ChangeKind::kDelete}}) {
    ASSERT_OK(pair().Open());
    ASSERT_OK(pair().Source(missing.sql));
    const absl::Status status = pair().Replicate().status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                                 HasSubstr(": the target has no such row")));
    ASSERT_TRUE(pair().applier().conflict().has_value()) << missing.sql;
    EXPECT_EQ(pair().applier().conflict()->type, missing.type);
    EXPECT_EQ(pair().applier().conflict()->key, missing.key);
    EXPECT_EQ(pair().applier().conflict()->kind, missing.kind);
    EXPECT_EQ(pair().applier().conflict()->sqlstate, "");
    EXPECT_NE(HintOf(status), "");
  }
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
}

// The missing row is found out by us, after the server was content.
TEST_P(ExactConflictTest, TheFirstOfSeveralErrorsIsTold) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY, v int)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, i FROM generate_series(1, "
                    "1000) i"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Target("DELETE FROM t WHERE id = 500; INSERT INTO t VALUES "
                    "(2001, 1)"));
  ASSERT_OK(
      pair().Source("BEGIN; UPDATE t SET v = 0; INSERT INTO t VALUES "
                    "(2001, 1); COMMIT"));
  EXPECT_THAT(pair().Replicate(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       MatchesRegex("update of public.t \\(id=500\\), .*: the "
                                    "target has no such row")));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t WHERE v = 0"), "0");
}

TEST_P(ExactConflictTest, DeferredChecksFailTheCommit) {
  ASSERT_OK(CreateTables("CREATE TABLE t (id int PRIMARY KEY)"));
  ASSERT_OK(pair().Target(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE "
      "EXCEPTION ''not so''; END'; CREATE CONSTRAINT TRIGGER no AFTER INSERT "
      "ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION no(); "
      "ALTER TABLE t ENABLE ALWAYS TRIGGER no"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  EXPECT_THAT(pair().Replicate(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       MatchesRegex("commit at [0-9A-F]+/[0-9A-F]+: not so "
                                    "\\(SQLSTATE P0001\\).*")));
  EXPECT_FALSE(pair().applier().conflict().has_value());
  EXPECT_THAT(pair().StreamRow("applied_lsn"), IsOkAndHolds("0/0"));
  EXPECT_EQ(TargetValue("SELECT count(*) FROM t"), "0");
}

}  // namespace
}  // namespace walferry
