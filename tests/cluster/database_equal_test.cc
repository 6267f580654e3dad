#include "tests/testing/database_equal.h"

#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// Two databases of one server, with the table t (id, name).
class DatabasesEqualTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start());
    ASSERT_OK(server_->Exec("CREATE DATABASE source"));
    ASSERT_OK(server_->Exec("CREATE DATABASE target"));
    Both("CREATE TABLE t (id int, name text)");
  }

  void Source(const std::string& sql) {
    ASSERT_OK(server_->Exec(sql, "source"));
  }
  void Target(const std::string& sql) {
    ASSERT_OK(server_->Exec(sql, "target"));
  }
  void Both(const std::string& sql) {
    Source(sql);
    Target(sql);
  }

  // What the failure says; "" for equal databases.
  std::string Differences(const CompareOptions& options = {}) {
    return DatabasesEqual(server_->ConnInfo("source"),
                          server_->ConnInfo("target"), options)
        .message();
  }

  std::unique_ptr<PgServer> server_;
};

TEST_F(DatabasesEqualTest, IgnoresTheOrderOfRowsAndColumns) {
  Source("INSERT INTO t VALUES (1, 'a'), (2, NULL), (2, NULL)");
  Target("INSERT INTO t VALUES (2, NULL), (1, 'a'), (2, NULL)");
  Source("CREATE TABLE u (a int, b int); INSERT INTO u VALUES (1, 2)");
  Target(
      "CREATE TABLE u (b int, gone int, a int);"
      "ALTER TABLE u DROP COLUMN gone; INSERT INTO u VALUES (2, 1)");
  EXPECT_EQ(Differences(), "");
}

TEST_F(DatabasesEqualTest, ShowsRowsThatOneSideLacks) {
  Both("INSERT INTO t SELECT i, 'same' FROM generate_series(1, 100) i");
  Source("INSERT INTO t SELECT i, 'source' FROM generate_series(101, 105) i");
  Target("UPDATE t SET name = NULL WHERE id = 7");
  Source("DELETE FROM t WHERE id <> 7 AND id < 101");
  Target("DELETE FROM t WHERE id <> 7");
  const std::string differences = Differences();
  EXPECT_THAT(differences,
              testing::StartsWith("\ntable public.t: 6 rows in source, 1 in "
                                  "target\n  only in source: ("));
  EXPECT_THAT(differences, testing::EndsWith("  and 3 more only in source\n"
                                             "  only in target: (7,)\n"));
}

TEST_F(DatabasesEqualTest, CountsDuplicates) {
  Source("INSERT INTO t VALUES (1, 'a'), (1, 'a'), (2, 'b')");
  Target("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (2, 'b')");
  EXPECT_EQ(Differences(),
            "\ntable public.t: 3 rows in source, 3 in target\n"
            "  only in source: (1,a)\n"
            "  only in target: (2,b)\n");
}

TEST_F(DatabasesEqualTest, TellsNullFromEmpty) {
  Source("INSERT INTO t VALUES (1, '')");
  Target("INSERT INTO t VALUES (1, NULL)");
  EXPECT_EQ(Differences(),
            "\ntable public.t: 1 rows in source, 1 in target\n"
            "  only in source: (1,\"\")\n"
            "  only in target: (1,)\n");
}

TEST_F(DatabasesEqualTest, SeesTheLastBitOfANumberAndAMicrosecond) {
  Both("CREATE TABLE exact (f float8, r float4, t timestamptz)");
  Source("INSERT INTO exact VALUES (0.1, 0.1, '2024-02-29 12:00:00.000001Z')");
  Target(
      "INSERT INTO exact VALUES (0.1::float8 + 2e-17, 0.1, "
      "'2024-02-29 12:00:00.000001Z')");
  EXPECT_EQ(Differences(),
            "\ntable public.exact: 1 rows in source, 1 in target\n"
            "  only in source: (0.1,0.1,\"2024-02-29 12:00:00.000001+00\")\n"
            "  only in target: "
            "(0.10000000000000002,0.1,\"2024-02-29 12:00:00.000001+00\")\n");
}

TEST_F(DatabasesEqualTest, DoesNotDependOnTheDatabasesSettings) {
  Both("CREATE TABLE dated (d timestamptz, f float8, b bytea, i interval)");
  Both(
      "INSERT INTO dated VALUES ('2024-02-29 12:00Z', 0.1, '\\x00ff', "
      "'1 day 2 hours')");
  Target("ALTER DATABASE target SET DateStyle = 'German'");
  Target("ALTER DATABASE target SET TimeZone = 'Asia/Kolkata'");
  Target("ALTER DATABASE target SET extra_float_digits = -3");
  Target("ALTER DATABASE target SET bytea_output = 'escape'");
  Target("ALTER DATABASE target SET IntervalStyle = 'iso_8601'");
  EXPECT_EQ(Differences(), "");
}

TEST_F(DatabasesEqualTest, ComparesAcrossEncodings) {
  ASSERT_OK(server_->Exec("DROP DATABASE target"));
  ASSERT_OK(server_->Exec(
      "CREATE DATABASE target TEMPLATE template0 ENCODING 'LATIN1'"));
  Target("CREATE TABLE t (id int, name text)");
  Both("INSERT INTO t VALUES (1, 'K' || chr(228) || 'se')");
  EXPECT_EQ(Differences(), "");
}

TEST_F(DatabasesEqualTest, ComparesSequences) {
  Both("CREATE SEQUENCE s");
  EXPECT_EQ(Differences(), "");
  Source("SELECT nextval('s')");
  EXPECT_EQ(Differences(),
            "\nsequence public.s: 1,true in source, 1,false in target\n");
}

TEST_F(DatabasesEqualTest, NamesTablesAndColumnsThatOneSideLacks) {
  Source("CREATE TABLE mine (i int); ALTER TABLE t ADD extra int");
  Target("CREATE SCHEMA other; CREATE TABLE other.\"Theirs\" (i int)");
  EXPECT_EQ(Differences(),
            "\nother.\"Theirs\": only in target\n"
            "public.mine: only in source\n"
            "table public.t: columns (extra, id, name) in source, (id, name) "
            "in target\n");
}

TEST_F(DatabasesEqualTest, LeavesOutWhatItIsToldTo) {
  Target("CREATE SCHEMA walferry; CREATE TABLE walferry.stream (i int)");
  EXPECT_EQ(Differences(), "");
  Both("CREATE TABLE u (i int)");
  Target("INSERT INTO t VALUES (1)");
  EXPECT_EQ(Differences({.excluded_relations = {"public.t"}}), "");
  EXPECT_NE(Differences({.excluded_schemas = {}}), "");
}

TEST_F(DatabasesEqualTest, TellsNamesWithDotsApart) {
  Both("CREATE SCHEMA a; CREATE SCHEMA \"a.b\"; CREATE SCHEMA \"walferry.x\"");
  Source("CREATE TABLE a.\"b.c\" AS SELECT 1 AS i");
  Target("CREATE TABLE \"a.b\".c AS SELECT 1 AS i");
  Source("CREATE TABLE \"walferry.x\".t (i int)");
  EXPECT_EQ(Differences(),
            "\n\"a.b\".c: only in target\n"
            "\"walferry.x\".t: only in source\n"
            "a.\"b.c\": only in source\n");
  EXPECT_EQ(Differences({.excluded_schemas = {"walferry.x", "a"},
                         .excluded_relations = {"\"a.b\".c"}}),
            "");
}

TEST_F(DatabasesEqualTest, ComparesMaterializedViews) {
  Both(
      "INSERT INTO t VALUES (1, 'a');"
      "CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM t");
  EXPECT_EQ(Differences(), "");
  Both("INSERT INTO t VALUES (2, 'b')");
  Target("REFRESH MATERIALIZED VIEW m");
  EXPECT_EQ(Differences(),
            "\ntable public.m: 1 rows in source, 1 in target\n"
            "  only in source: (1)\n  only in target: (2)\n");
  Target("REFRESH MATERIALIZED VIEW m WITH NO DATA");
  EXPECT_EQ(Differences(), "\ntable public.m: populated on one side only\n");
  Source("REFRESH MATERIALIZED VIEW m WITH NO DATA");
  EXPECT_EQ(Differences(), "");
}

TEST_F(DatabasesEqualTest, DoesNotCallTwoEmptyDatabasesEqual) {
  constexpr char kNothing[] = "\nneither holds anything to compare";
  EXPECT_EQ(Differences({.excluded_relations = {"public.t"}}), kNothing);
  Both("DROP TABLE t; CREATE SEQUENCE s");
  EXPECT_EQ(Differences(), "");
  EXPECT_EQ(Differences({.sequences = false}), kNothing);
}

TEST_F(DatabasesEqualTest, ComparesEachPartition) {
  Both(
      "CREATE TABLE p (i int) PARTITION BY LIST (i);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2);"
      "INSERT INTO p VALUES (1), (2)");
  EXPECT_EQ(Differences(), "");
  Target("DELETE FROM p WHERE i = 2");
  EXPECT_EQ(Differences(),
            "\ntable public.p2: 1 rows in source, 0 in target\n"
            "  only in source: (2)\n");
}

TEST_F(DatabasesEqualTest, FailsWhereItCannotCompare) {
  const testing::AssertionResult result =
      DatabasesEqual(server_->ConnInfo("source"), server_->ConnInfo("missing"));
  EXPECT_FALSE(result);
  EXPECT_THAT(result.message(),
              testing::HasSubstr("database \"missing\" does not exist"));
}

TEST_F(DatabasesEqualTest, FingerprintsAreEqualForEqualRowsOnly) {
  Source("INSERT INTO t VALUES (1, 'a'), (2, 'b')");
  Target("INSERT INTO t VALUES (2, 'b'), (1, 'a')");
  ASSERT_OK_AND_ASSIGN(auto source,
                       SqlConnection::Open(server_->ConnInfo("source")));
  ASSERT_OK_AND_ASSIGN(auto target,
                       SqlConnection::Open(server_->ConnInfo("target")));
  ASSERT_OK_AND_ASSIGN(const auto before, FingerprintDatabase(source));
  EXPECT_EQ(before.tables.at("public.t").rows, 2);
  EXPECT_THAT(FingerprintDatabase(target), IsOkAndHolds(before));
  Target("UPDATE t SET name = 'c' WHERE id = 1");
  EXPECT_THAT(FingerprintDatabase(target), IsOkAndHolds(testing::Ne(before)));
}

}  // namespace
}  // namespace walferry
