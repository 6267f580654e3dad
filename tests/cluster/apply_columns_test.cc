// What of a row is written: TOASTed values that did not change, generated and
// identity columns.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ApplyColumnsTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(ApplyColumnsTest);

TEST_P(ApplyColumnsTest, UnchangedToastKeepsTheTargetsValue) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE t (id int PRIMARY KEY, big text, v int); ALTER TABLE t "
      "ALTER big SET STORAGE EXTERNAL; CREATE TABLE f (LIKE t); ALTER TABLE f "
      "ALTER big SET STORAGE EXTERNAL; ALTER TABLE f REPLICA IDENTITY FULL"));
  for (const char* table : {"t", "f"}) {
    ASSERT_OK(pair().Source(absl::StrCat("INSERT INTO ", table,
                                         " VALUES (1, repeat('x', 10000), "
                                         "1), (2, repeat('y', 10000), 2)")));
    ASSERT_OK(pair().Source(absl::StrCat("UPDATE ", table, " SET v = 3")));
    // Also when the key changes.
    ASSERT_OK(pair().Source(
        absl::StrCat("UPDATE ", table, " SET id = 10 WHERE id = 1")));
    ASSERT_OK(pair().Source(absl::StrCat(
        "UPDATE ", table, " SET big = repeat('z', 9000) WHERE id = 2")));
    ASSERT_OK(
        pair().Source(absl::StrCat("DELETE FROM ", table, " WHERE id = 10")));
  }
  ExpectReplicates();
}

TEST_P(ApplyColumnsTest, EverythingUnchangedStillNeedsTheRow) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (k text PRIMARY KEY); ALTER TABLE t "
                  "ALTER k SET STORAGE EXTERNAL"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (repeat('k', 2300))"));
  ASSERT_OK(pair().Source("UPDATE t SET k = k"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("DELETE FROM t"));
  ASSERT_OK(pair().Source("UPDATE t SET k = k"));
  ExpectFails("the target has no such row");
  EXPECT_EQ(pair().applier().conflict()->type, "update_missing");
}

// A row filter makes an INSERT of an UPDATE, which knows no unchanged values.
TEST_P(ApplyColumnsTest, UnchangedToastInAnInsertIsRefused) {
  if (server().major_version() < 15) GTEST_SKIP() << "no row filters";
  ASSERT_OK(
      pair().Source("DROP PUBLICATION p; CREATE TABLE t (id int PRIMARY "
                    "KEY, big text); ALTER TABLE t ALTER big SET STORAGE "
                    "EXTERNAL; CREATE PUBLICATION p FOR TABLE t WHERE "
                    "(id > 10)"));
  ASSERT_OK(pair().Target("CREATE TABLE t (id int PRIMARY KEY, big text)"));
  ASSERT_OK(pair().Receive().status());
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, repeat('x', 10000))"));
  ASSERT_OK(pair().Source("UPDATE t SET id = 20"));
  ExpectFails(
      "the source did not send the value of column \"big\": it is an unchanged "
      "TOASTed value of an UPDATE that the publication's row filter turned "
      "into an INSERT");
}

TEST_P(ApplyColumnsTest, GeneratedColumnsAreNeverWritten) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE first (g int GENERATED ALWAYS AS (v + 1) STORED, id int "
      "PRIMARY KEY, v int, \"select\" int GENERATED ALWAYS AS (v * 2) STORED);"
      "CREATE TABLE \"only\" (g int GENERATED ALWAYS AS (7) STORED)"));
  ASSERT_OK(
      pair().Source("INSERT INTO first (id, v) VALUES (1, 1), (2, 2); "
                    "INSERT INTO \"only\" DEFAULT VALUES"));
  ASSERT_OK(
      pair().Source("UPDATE first SET v = 5 WHERE id = 1; UPDATE first "
                    "SET id = 3 WHERE id = 2"));
  ExpectReplicates();
}

TEST_P(ApplyColumnsTest, WholeRowsAreFoundWithoutTheirGeneratedColumns) {
  if (server().major_version() >= 18) GTEST_SKIP() << "refused by the source";
  ASSERT_OK(
      pair().Both("CREATE TABLE t (v int, g int GENERATED ALWAYS AS (v + "
                  "1) STORED); ALTER TABLE t REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1), (2); UPDATE t SET v = 3 "
                    "WHERE v = 1; DELETE FROM t WHERE v = 2"));
  ExpectReplicates();
}

// From 18 on the source may send them; the target computes them all the same.
TEST_P(ApplyColumnsTest, PublishedGeneratedColumnsAreComputedByTheTarget) {
  if (server().major_version() < 18) GTEST_SKIP() << "never sent";
  UsePair({.publication = "FOR ALL TABLES WITH (publish_generated_columns = "
                          "stored)"});
  ASSERT_OK(
      pair().Both("CREATE TABLE t (g int GENERATED ALWAYS AS (v + 1) "
                  "STORED, id int PRIMARY KEY, v int); CREATE TABLE f (v "
                  "int, g int GENERATED ALWAYS AS (v + 1) STORED); ALTER "
                  "TABLE f REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t (id, v) VALUES (1, 1); UPDATE t SET v "
                    "= 2; INSERT INTO f VALUES (1), (2); UPDATE f SET v "
                    "= 3 WHERE v = 1; DELETE FROM f WHERE v = 2"));
  ExpectReplicates();
}

TEST_P(ApplyColumnsTest, IdentityAlwaysKeys) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY "
                  "PRIMARY KEY, v text, big text); ALTER TABLE t ALTER "
                  "big SET STORAGE EXTERNAL"));
  ASSERT_OK(
      pair().Target("ALTER TABLE t ADD own text DEFAULT 'default', ADD g "
                    "text GENERATED ALWAYS AS (v || '!') STORED"));
  ASSERT_OK(
      pair().Source("INSERT INTO t (v, big) SELECT 'a', repeat('b', "
                    "9000) FROM generate_series(1, 3)"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(pair().Target("UPDATE t SET own = 'mine' WHERE id = 2"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'c' WHERE id = 1"));
  // The row moves; what was not sent moves with it.
  ASSERT_OK(pair().Source("UPDATE t SET id = DEFAULT, v = 'd' WHERE id = 2"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE id = 3"));
  ASSERT_OK(pair().Replicate());
  EXPECT_THAT(
      pair().target().QueryValue(
          "SELECT string_agg(concat_ws(',', id, v, length(big), own, g), ' ' "
          "ORDER BY id) FROM t"),
      IsOkAndHolds("1,c,9000,default,c! 4,d,9000,mine,d!"));
  ASSERT_OK(pair().Source("UPDATE t SET id = DEFAULT WHERE id = 1"));
  ASSERT_OK(pair().Target("DELETE FROM t WHERE id = 1"));
  ExpectFails("update of public.t (id=1), ");
  EXPECT_EQ(pair().applier().conflict()->type, "update_missing");
}

// The change does not tell whether such a column's value changed.
TEST_P(ApplyColumnsTest, IdentityAlwaysOutsideTheKey) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (k int PRIMARY KEY, n int GENERATED "
                  "ALWAYS AS IDENTITY, v text)"));
  ASSERT_OK(pair().Source("INSERT INTO t (k, v) VALUES (1, 'a'), (2, 'b')"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'c' WHERE k = 1"));
  ASSERT_OK(pair().Source("UPDATE t SET n = DEFAULT WHERE k = 1"));
  ASSERT_OK(pair().Source("UPDATE t SET k = 3, n = DEFAULT WHERE k = 2"));
  ASSERT_OK(pair().Source("UPDATE t SET k = 4 WHERE k = 3"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("DELETE FROM t WHERE k = 4"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'd' WHERE k = 4"));
  ExpectFails("the target has no such row");
}

TEST_P(ApplyColumnsTest, IdentityAlwaysAsTheOnlyColumn) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY "
                  "PRIMARY KEY); CREATE TABLE f (id int GENERATED ALWAYS "
                  "AS IDENTITY); ALTER TABLE f REPLICA IDENTITY FULL"));
  for (const char* table : {"t", "f"}) {
    ASSERT_OK(pair().Source(
        absl::StrCat("INSERT INTO ", table,
                     " OVERRIDING SYSTEM VALUE VALUES (100), (101); "
                     "UPDATE ",
                     table, " SET id = DEFAULT WHERE id = 100; DELETE FROM ",
                     table, " WHERE id = 101")));
  }
  ExpectReplicates();
}

TEST_P(ApplyColumnsTest, IdentityByDefaultAndSerial) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int GENERATED BY DEFAULT AS "
                  "IDENTITY PRIMARY KEY, s serial, v text DEFAULT 'd')"));
  ASSERT_OK(
      pair().Source("INSERT INTO t DEFAULT VALUES; INSERT INTO t VALUES "
                    "(50, 60, NULL); UPDATE t SET id = 51 WHERE id = "
                    "50"));
  ExpectReplicates();
}

}  // namespace
}  // namespace walferry
