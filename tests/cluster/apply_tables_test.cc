// Under which names and with which columns tables are written, and what happens
// when they are altered.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "protocol/quoting.h"
#include "tests/testing/replica_pair_test.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ApplyTablesTest = ReplicaPairTest;

INSTANTIATE_REPLICA_PAIR_TEST(ApplyTablesTest);

TEST_P(ApplyTablesTest, EveryIdentifierIsQuoted) {
  const std::vector<std::string> names = {std::string(63, 'n'),
                                          "quo\"te",
                                          "\"",
                                          "sp ace",
                                          "do.t",
                                          "$1",
                                          "'",
                                          "žluťoučký_日本",
                                          "select",
                                          "new\nline",
                                          "back\\slash",
                                          "UPPER",
                                          "old",
                                          "ctid_",
                                          "-- comment",
                                          "/*"};
  for (const std::string& name : names) {
    const std::string quoted = QuoteIdentifier(name);
    const std::string type =
        absl::StrCat(quoted, ".", QuoteIdentifier("ty" + name).substr(0, 60));
    const bool long_name = name.size() > 60;
    const std::string table = absl::StrCat(quoted, ".", quoted);
    ASSERT_OK(pair().Both(absl::StrCat(
        "CREATE SCHEMA ", quoted, ";",
        long_name ? ""
                  : absl::StrCat("CREATE TYPE ", type, " AS ENUM ('a', 'b');"),
        "CREATE TABLE ", table, " (", quoted, " int PRIMARY KEY, v ",
        long_name ? "text" : type, ", j json); CREATE TABLE ", quoted,
        ".f (LIKE ", table, " INCLUDING GENERATED); ALTER TABLE ", quoted,
        ".f REPLICA IDENTITY FULL")))
        << name;
    for (const std::string& each : {table, quoted + ".f"}) {
      ASSERT_OK(pair().Source(
          absl::StrCat("INSERT INTO ", each,
                       " VALUES (1, 'a', '1'), (2, 'b', NULL), (3, "
                       "NULL, '3'); UPDATE ",
                       each, " SET v = 'b', ", quoted, " = 7 WHERE ", quoted,
                       " = 1; UPDATE ", each, " SET j = '{}' WHERE ", quoted,
                       " = 2; DELETE FROM ", each, " WHERE ", quoted, " = 3")));
    }
    ASSERT_OK(pair().Replicate());
    ASSERT_OK(pair().Source(absl::StrCat("TRUNCATE ", quoted, ".f")));
  }
  ExpectReplicates();
}

// The session speaks the source's encoding; bytes are not looked at.
TEST_P(ApplyTablesTest, DatabasesOfOtherEncodings) {
  for (const char* encoding : {"LATIN1", "SQL_ASCII"}) {
    UsePair({.database_options =
                 absl::StrCat("ENCODING '", encoding,
                              "' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE "
                              "'C'")});
    const std::string table = "\"t\xe9\"";
    ASSERT_OK(pair().Both(absl::StrCat("CREATE TABLE ", table, " (", table,
                                       " text PRIMARY KEY, v text)")));
    ASSERT_OK(pair().Source(
        absl::StrCat("INSERT INTO ", table,
                     " VALUES ('\xe9', '\xff\xfe'), ('b', '\xdf'); "
                     "UPDATE ",
                     table, " SET v = '\xe4' WHERE ", table,
                     " = '\xe9'; DELETE "
                     "FROM ",
                     table, " WHERE v = '\xdf'")));
    ASSERT_OK(pair().Replicate());
    EXPECT_EQ(TargetValue(absl::StrCat("SELECT string_agg(", table,
                                       " || v, ',') FROM ", table)),
              "\xe9\xe4");
  }
}

TEST_P(ApplyTablesTest, WideTablesOf1600Columns) {
  std::vector<std::string> columns;
  std::vector<std::string> values;
  for (int column = 0; column < 1600; ++column) {
    columns.push_back(
        absl::StrCat("c", column, " int", column == 0 ? " PRIMARY KEY" : ""));
    values.push_back(absl::StrCat(column % 7 == 3 ? "NULL" : "g"));
  }
  ASSERT_OK(pair().Both(
      absl::StrCat("CREATE TABLE t (", absl::StrJoin(columns, ", "),
                   "); CREATE TABLE f "
                   "(LIKE t); ALTER TABLE f REPLICA IDENTITY FULL")));
  for (const char* table : {"t", "f"}) {
    ASSERT_OK(pair().Source(absl::StrCat(
        "INSERT INTO ", table, " SELECT ", absl::StrJoin(values, ", "),
        " FROM generate_series(1, 50) g; UPDATE ", table,
        " SET c1599 = -c1599 "
        "WHERE c0 < 5; UPDATE ",
        table,
        " SET c0 = 100 WHERE c0 = 3; DELETE "
        "FROM ",
        table, " WHERE c0 > 40 AND c0 < 60")));
  }
  ExpectReplicates();
}

TEST_P(ApplyTablesTest, ColumnsInAnotherOrderAndDroppedOnes) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (gone int, a int PRIMARY KEY, b "
                    "text, gone2 int); ALTER TABLE t DROP gone, DROP "
                    "gone2, ADD c int"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (c int, b text, x int, a int PRIMARY "
                    "KEY); ALTER TABLE t DROP x"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 'b', 3), (2, 'c', 4); "
                    "UPDATE t SET c = 5 WHERE a = 1; DELETE FROM t WHERE "
                    "a = 2"));
  ExpectReplicates();
}

TEST_P(ApplyTablesTest, ColumnsOfTheTargetsOwnKeepTheirValues) {
  ASSERT_OK(pair().Source("CREATE TABLE t (id int PRIMARY KEY, v int)"));
  ASSERT_OK(
      pair().Target("CREATE TABLE t (own int DEFAULT 9, id int PRIMARY "
                    "KEY, v int, s serial)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 1), (2, 2)"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(pair().Target("UPDATE t SET own = 8 WHERE id = 1"));
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 3; UPDATE t SET id = 4 WHERE id = "
                    "2"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t"),
            "(8,1,3,1) (9,4,3,2)");
}

TEST_P(ApplyTablesTest, MissingColumnsAreAllNamed) {
  ASSERT_OK(
      pair().Source("CREATE TABLE t (id int PRIMARY KEY, a int, \"B c\" "
                    "int)"));
  ASSERT_OK(pair().Target("CREATE TABLE t (id int PRIMARY KEY, \"b C\" int)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 2, 3)"));
  ExpectFails(
      ": target relation \"public.t\" is missing replicated columns: \"a\", "
      "\"B c\"");
}

TEST_P(ApplyTablesTest, MissingRelationsAndOtherThingsThanTables) {
  struct Wrong {
    std::string ddl, error;
  };
  const std::vector<Wrong> cases = {
      {"SELECT 1", "target relation \"public.t0\" does not exist"},
      {"CREATE VIEW t1 AS SELECT 1 AS id",
       "target relation \"public.t1\" is a view"},
      {"CREATE MATERIALIZED VIEW t2 AS SELECT 1 AS id",
       "target relation \"public.t2\" is a materialized view"},
      {"CREATE SEQUENCE t3", "target relation \"public.t3\" is a sequence"},
      {"CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; "
       "CREATE FOREIGN TABLE t4 (id int) SERVER s",
       "target relation \"public.t4\" is a foreign table"},
      {"CREATE TYPE t5 AS (id int)",
       "target relation \"public.t5\" is a composite type"},
      {"CREATE TABLE x (id int); CREATE INDEX t6 ON x (id)",
       "target relation \"public.t6\" is an index"},
  };
  for (size_t index = 0; index < cases.size(); ++index) {
    ASSERT_OK(pair().Source(absl::StrCat("CREATE TABLE t", index,
                                         " (id int PRIMARY KEY); INSERT INTO t",
                                         index, " VALUES (1)")));
    ASSERT_OK(pair().Target(cases[index].ddl));
    ASSERT_OK(pair().Open());
    ExpectFails(cases[index].error);
  }
}

TEST_P(ApplyTablesTest, SourceTablesThatAreAltered) {
  ASSERT_OK(pair().Both("CREATE TABLE t (id int PRIMARY KEY, a int, b text)"));
  ASSERT_OK(pair().Source("INSERT INTO t VALUES (1, 1, 'b')"));
  ExpectReplicates();
  ASSERT_OK(pair().Both("ALTER TABLE t ADD c text"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (2, 2, 'b', 'c'); UPDATE t SET "
                    "c = 'd' WHERE id = 1"));
  ExpectReplicates();
  ASSERT_OK(pair().Both("ALTER TABLE t DROP a"));
  ASSERT_OK(pair().Source("UPDATE t SET b = 'x'"));
  ExpectReplicates();
  ASSERT_OK(
      pair().Both("ALTER TABLE t RENAME b TO bb; ALTER TABLE t ALTER bb "
                  "TYPE int USING 7; ALTER TABLE t RENAME TO u"));
  ASSERT_OK(
      pair().Source("UPDATE u SET bb = 8; INSERT INTO u VALUES (3, 4, "
                    "'e')"));
  ExpectReplicates();
  // Both shapes in one batch: the target has the columns of both.
  ASSERT_OK(
      pair().Source("INSERT INTO u VALUES (5, 5, 'f'); ALTER TABLE u ADD "
                    "z int; INSERT INTO u VALUES (6, 6, 'g', 6); ALTER "
                    "TABLE u DROP c; INSERT INTO u VALUES (7, 7, 7)"));
  ASSERT_OK(pair().Target("ALTER TABLE u ADD z int"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(u::text, ' ' ORDER BY id) FROM u "
                        "WHERE id > 4"),
            "(5,5,f,) (6,6,g,6) (7,7,,7)");
}

TEST_P(ApplyTablesTest, TargetTablesThatAreAlteredMeanwhile) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int PRIMARY KEY, v int); CREATE "
                  "TABLE g (id int PRIMARY KEY, v int)"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (1, 1), (2, 2); UPDATE t SET v "
                    "= 3 WHERE id = 1; INSERT INTO g VALUES (1, 2)"));
  ExpectReplicates();
  // The prepared statements know the old table, types and columns.
  ASSERT_OK(
      pair().Target("DROP TABLE t; CREATE TABLE t (v bigint, id bigint "
                    "PRIMARY KEY); INSERT INTO t VALUES (3, 1), (2, 2)"));
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 4 WHERE id = 1; INSERT INTO t "
                    "VALUES (3, 3); DELETE FROM t WHERE id = 2"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(t::text, ' ' ORDER BY id) FROM t"),
            "(4,1) (3,3)");
  ASSERT_OK(pair().Target("ALTER TABLE t ALTER v TYPE text"));
  ASSERT_OK(pair().Source("UPDATE t SET v = 5 WHERE id = 1"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Target("ALTER TABLE g DROP v; ALTER TABLE g ADD v int "
                    "GENERATED ALWAYS AS (id + 1) STORED"));
  ASSERT_OK(pair().Source("INSERT INTO g VALUES (2, 3)"));
  ASSERT_OK(pair().Replicate());
  EXPECT_EQ(TargetValue("SELECT string_agg(g::text, ' ' ORDER BY id) FROM g"),
            "(1,2) (2,3)");
}

TEST_P(ApplyTablesTest, RowsAreFoundWithoutScanningLargeTables) {
  ASSERT_OK(
      pair().Both("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE "
                  "TABLE f (a int, b int, v text); CREATE INDEX ON f "
                  "(b); ALTER TABLE f REPLICA IDENTITY FULL"));
  ASSERT_OK(
      pair().Source("INSERT INTO t VALUES (0, ''); UPDATE t SET v = 'a'; "
                    "INSERT INTO f VALUES (0, 0, ''); UPDATE f SET v = "
                    "'a'"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(
      pair().Source("INSERT INTO t SELECT i, '' FROM generate_series(1, "
                    "20000) i; INSERT INTO f SELECT i, i, '' FROM "
                    "generate_series(1, 20000) i"));
  ASSERT_OK(pair().Replicate());
  ASSERT_OK(pair().Target("SELECT pg_stat_reset()"));
  ASSERT_OK(
      pair().Source("UPDATE t SET v = 'b' WHERE id % 10 = 0; UPDATE f "
                    "SET v = 'b' WHERE a % 10 = 0"));
  ASSERT_OK(pair().Replicate());
  // Figures arrive some time after the session has ended. From PostgreSQL 17 on
  // one scan finds several keys, so rows are counted.
  pair().Close();
  const std::string tables =
      " FROM pg_stat_user_tables WHERE relname IN ('t', 'f')";
  EXPECT_TRUE(WaitUntil([&] {
    return TargetValue("SELECT sum(idx_tup_fetch) >= 4000" + tables) == "t";
  }));
  EXPECT_EQ(TargetValue("SELECT sum(seq_scan) < 10" + tables), "t");
  EXPECT_TRUE(pair().Equal());
}

}  // namespace
}  // namespace walferry
