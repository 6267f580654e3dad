// How old rows are found: keys of all kinds, and whole rows.

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/replica_pair_test.h"

namespace walferry {
namespace {

using ApplyKeysTest = ReplicaPairTest;

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
