// How old rows are found, and what an update leaves alone: keys of all kinds,
// whole rows, TOASTed values, generated and identity columns.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class ApplyKeysTest : public ReplicaPairTest {
 protected:
  void ExpectReplicates() {
    ASSERT_OK(pair().Replicate());
    ASSERT_TRUE(pair().Equal());
  }
  void ExpectFails(absl::string_view text) {
    EXPECT_THAT(pair().Replicate(),
                StatusIs(absl::StatusCode::kFailedPrecondition,
                         HasSubstr(std::string(text))));
  }
};

INSTANTIATE_REPLICA_PAIR_TEST(ApplyKeysTest);

TEST_P(ApplyKeysTest, PrimaryKeyChanges) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (a int, b text, v text, PRIMARY KEY "
                  "(b, a))"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'x', 'v'), (2, 'y', 'w')"));
  ASSERT_OK(pair().Source("UPDATE t SET a = 3 WHERE a = 1"));
  ASSERT_OK(pair().Source("UPDATE t SET b = 'z', v = NULL WHERE a = 3"));
  // A swap, by way of a third value.
  ASSERT_OK(pair().Source(
      "BEGIN; UPDATE t SET a = 0 WHERE a = 2; UPDATE t SET a = 2 WHERE a = 3; "
      "UPDATE t SET a = 3 WHERE a = 0; COMMIT"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, IdentityIndexWithoutPrimaryKey) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE t (n int, k text NOT NULL, v text); CREATE UNIQUE INDEX "
      "t_k ON t (k); ALTER TABLE t REPLICA IDENTITY USING INDEX t_k"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'a', 'x'), (1, 'b', 'y')"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'z' WHERE k = 'a'"));
  ASSERT_OK(pair().Source("UPDATE t SET k = 'c' WHERE k = 'a'"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE k = 'b'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, IdentityIndexBesidesPrimaryKey) {
  ASSERT_OK(pair().Both(
      "CREATE TABLE t (id int PRIMARY KEY, k int NOT NULL, v text); CREATE "
      "UNIQUE INDEX t_k ON t (k) INCLUDE (v); ALTER TABLE t REPLICA IDENTITY "
      "USING INDEX t_k"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 10, 'x'), (2, 20, 'y')"));
  // The old rows do not tell the primary key.
  ASSERT_OK(pair().Source("UPDATE t SET id = 3, k = 30 WHERE id = 1"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE id = 2"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, KeyOfACollationWhereDifferentIsEqual) {
  ASSERT_OK(pair().Both(
      "CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', "
      "deterministic = false); CREATE TABLE t (k text COLLATE ci PRIMARY KEY, "
      "v int); CREATE TABLE f (k text COLLATE ci); ALTER TABLE f REPLICA "
      "IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES ('a', 1); INSERT INTO f VALUES "
                    "('a'), ('A')"));
  ASSERT_OK(pair().Source("UPDATE t SET k = 'A'"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 2"));
  ASSERT_OK(pair().Source("DELETE FROM f WHERE k COLLATE \"C\" = 'A'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, FullIdentityWithDuplicatesAndNulls) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (a int, b json, p point, n numeric); "
                  "ALTER TABLE t REPLICA IDENTITY FULL"));
  ASSERT_OK(pair().Source(
      "INSERT INTO t SELECT NULL, '{\"x\": 1}', '(1,2)', 1.0 FROM "
      "generate_series(1, 3); INSERT INTO t SELECT 1, NULL, NULL, NULL FROM "
      "generate_series(1, 3); INSERT INTO t VALUES (NULL, NULL, NULL, NULL)"));
  ExpectReplicates();
  ASSERT_OK(pair().Source("UPDATE t SET a = 2 WHERE ctid = '(0,1)'"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE ctid = '(0,2)'"));
  ASSERT_OK(pair().Source("UPDATE t SET b = 'null' WHERE ctid = '(0,4)'"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE ctid = '(0,5)'"));
  ExpectReplicates();
  ASSERT_OK(pair().Source("DELETE FROM t WHERE a IS NULL"));
  ASSERT_OK(pair().Source("UPDATE t SET a = NULL"));
  ExpectReplicates();
}

// 1.0 = 1.00, but it is not the same row.
TEST_P(ApplyKeysTest, FullIdentityPrefersTheRowThatLooksTheSame) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (n numeric, s char(5)); ALTER TABLE t "
                  "REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1.00, 'a'), (1.0, 'a'), "
                    "(1, 'a')"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE n::text = '1'"));
  ASSERT_OK(pair().Source("UPDATE t SET s = 'b' WHERE n::text = '1.0'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, FullIdentityFindsRowsThatAreMerelyEqual) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (n numeric); ALTER TABLE t REPLICA "
                    "IDENTITY FULL"));
  ASSERT_OK(pair().Target("CREATE TABLE t (n numeric(10,4))"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1.5), (2.5)"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE n = 1.5"));
  ASSERT_OK(pair().Replicate());
  EXPECT_THAT(pair().target().QueryValue("SELECT string_agg(n::text, ',') "
                                         "FROM t"),
              IsOkAndHolds("2.5000"));
}

TEST_P(ApplyKeysTest, FullIdentityWithAKeyOnTheTarget) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (id int, v text); ALTER TABLE t "
                    "REPLICA IDENTITY FULL"));
  ASSERT_OK(pair().Target("CREATE TABLE t (v text, id int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, NULL), (2, 'b')"));
  ASSERT_OK(pair().Source("UPDATE t SET id = 3 WHERE v IS NULL"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE id = 2"));
  ExpectReplicates();
}

// PostgreSQL's own worker never finds rows with values in such columns.
TEST_P(ApplyKeysTest, FullIdentityWithColumnsOfTheTargetsOwn) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (id int, v text); ALTER TABLE t "
                    "REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (id int, v text, own bigserial "
                    "PRIMARY KEY, note text DEFAULT 'mine')"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 'a'), (1, 'a'), (2, 'b')"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 'c' WHERE ctid = '(0,1)'"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE id = 2"));
  ASSERT_OK(pair().Replicate());
  EXPECT_THAT(
      pair().target().QueryValue("SELECT string_agg(concat(id, v, own, note), "
                                 "' ' ORDER BY v) FROM t"),
      IsOkAndHolds("1a2mine 1c1mine"));
}

TEST_P(ApplyKeysTest, FullIdentityOfATableWithoutColumns) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (); ALTER TABLE t REPLICA IDENTITY "
                  "FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t DEFAULT VALUES; INSERT INTO t DEFAULT "
                    "VALUES; DELETE FROM t WHERE ctid = '(0,1)'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, ASmallerKeyOnTheTargetIsFine) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (a int, b int, v text, PRIMARY KEY "
                    "(a, b))"));
  ASSERT_OK(pair().Target("CREATE TABLE t (a int PRIMARY KEY, b int, v text)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 2, 'x'); UPDATE t SET b = "
                    "3, a = 4; UPDATE t SET v = 'y'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, AnotherKeyOnTheTargetIsRefused) {
  ASSERT_OK(pair().Source("CREATE TABLE t (a int PRIMARY KEY, b int)"));
  ASSERT_OK(pair().Target("CREATE TABLE t (a int, b int PRIMARY KEY)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 2)"));
  ExpectReplicates();  // Inserts need no key.
  ASSERT_OK(pair().Source("UPDATE t SET b = 3"));
  ExpectFails(
      "the source does not send the replica identity that target relation "
      "\"public.t\" is found by, column: \"b\"");
}

TEST_P(ApplyKeysTest, NoKeyOnTheTargetIsRefused) {
  ASSERT_OK(pair().Source("CREATE TABLE t (a int PRIMARY KEY)"));
  ASSERT_OK(pair().Target("CREATE TABLE t (a int)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1)"));
  ExpectReplicates();
  ASSERT_OK(pair().Source("DELETE FROM t"));
  ExpectFails(
      "target relation \"public.t\" has neither a replica identity index nor a "
      "primary key, and the source does not send whole old rows");
}

// The table was read when it had no key; it need not be read at a restart.
TEST_P(ApplyKeysTest, AKeyThatIsAddedLaterIsNoticed) {
  ASSERT_OK(pair().Source("CREATE TABLE t (a int PRIMARY KEY)"));
  ASSERT_OK(pair().Target("CREATE TABLE t (a int)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1), (2)"));
  ExpectReplicates();
  ASSERT_OK(pair().Target("ALTER TABLE t ADD PRIMARY KEY (a)"));
  ASSERT_OK(pair().Source("DELETE FROM t WHERE a = 1"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, UnchangedToastKeepsTheTargetsValue) {
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

TEST_P(ApplyKeysTest, ToastedKeys) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (k text PRIMARY KEY, v int); ALTER "
                  "TABLE t ALTER k SET STORAGE EXTERNAL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (repeat('k', 2300), 1), ('s', "
                    "1)"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 2"));
  ASSERT_OK(pair().Source("UPDATE t SET k = k || 'x'"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, EverythingUnchangedStillNeedsTheRow) {
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
TEST_P(ApplyKeysTest, UnchangedToastInAnInsertIsRefused) {
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

TEST_P(ApplyKeysTest, GeneratedColumnsAreNeverWritten) {
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

TEST_P(ApplyKeysTest, WholeRowsAreFoundWithoutTheirGeneratedColumns) {
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
TEST_P(ApplyKeysTest, PublishedGeneratedColumnsAreComputedByTheTarget) {
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

TEST_P(ApplyKeysTest, IdentityAlwaysKeys) {
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
TEST_P(ApplyKeysTest, IdentityAlwaysOutsideTheKey) {
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

TEST_P(ApplyKeysTest, IdentityAlwaysAsTheOnlyColumn) {
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

TEST_P(ApplyKeysTest, IdentityByDefaultAndSerial) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int GENERATED BY DEFAULT AS "
                  "IDENTITY PRIMARY KEY, s serial, v text DEFAULT 'd')"));
  ASSERT_OK(
      pair().Source("INSERT INTO t DEFAULT VALUES; INSERT INTO t VALUES "
                    "(50, 60, NULL); UPDATE t SET id = 51 WHERE id = "
                    "50"));
  ExpectReplicates();
}

TEST_P(ApplyKeysTest, KeysOfDomainsEnumsAndBlankPaddedText) {
  ASSERT_OK(pair().Both(
      "CREATE TYPE mood AS ENUM ('a', 'b', 'c'); CREATE DOMAIN dm AS mood;"
      "CREATE DOMAIN code AS char(3); CREATE TYPE pairs AS (a int, b text);"
      "CREATE TABLE t1 (k dm PRIMARY KEY, v int);"
      "CREATE TABLE t2 (k code PRIMARY KEY, v int);"
      "CREATE TABLE t3 (k char(4), l varchar(4), v int, PRIMARY KEY (k, l));"
      "CREATE TABLE t4 (k pairs PRIMARY KEY, v int);"
      "CREATE TABLE t5 (k int[] PRIMARY KEY, v int);"
      "CREATE TABLE t6 (k bit(3), l \"char\", v int, PRIMARY KEY (k, l));"
      "CREATE TABLE t7 (k float8 PRIMARY KEY, v int);"
      "CREATE TABLE t8 (k bytea PRIMARY KEY, v int)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t1 VALUES ('a', 1), ('b', 2);"
                    "INSERT INTO t2 VALUES ('x', 1), ('y', 2);"
                    "INSERT INTO t3 VALUES ('x', 'y', 1), ('y', 'z ', 2);"
                    "INSERT INTO t4 VALUES ((1, 'a'), 1), ((1, NULL), 2);"
                    "INSERT INTO t5 VALUES ('{1,NULL}', 1), ('{}', 2);"
                    "INSERT INTO t6 VALUES (B'101', 'x', 1), (B'100', '', 2);"
                    "INSERT INTO t7 VALUES ('NaN', 1), (0.1, 2);"
                    "INSERT INTO t8 VALUES ('\\x00', 1), ('', 2)"));
  for (int table = 1; table <= 8; ++table) {
    ASSERT_OK(pair().Source(
        absl::StrCat("UPDATE t", table, " SET v = 7 WHERE v = 2")));
    ASSERT_OK(
        pair().Source(absl::StrCat("DELETE FROM t", table, " WHERE v = 1")));
  }
  ASSERT_OK(pair().Source("UPDATE t1 SET k = 'c'; UPDATE t2 SET k = 'z'"));
  ExpectReplicates();
}

}  // namespace
}  // namespace walferry
