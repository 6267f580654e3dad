// RunVerify: each difference between rows is found and named, and nothing else.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/verify_fixture.h"

namespace walferry {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

class VerifyRowsTest : public VerifyTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    OnBoth(kVerifiedTables);
  }
};

TEST_F(VerifyRowsTest, EqualDatabasesAreFoundEqual) {
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_FALSE(report.found_differences());
  EXPECT_FALSE(report.uncertain());
  EXPECT_EQ(report.rows_compared, 20000 + 20000 + 5000 + 5000 + 500);
  EXPECT_EQ(Of(report, "orders").source_rows, 20000);
  EXPECT_EQ(Of(report, "orders").target_rows, 20000);
  EXPECT_GT(Of(report, "orders").ranges_total, 10);
  EXPECT_THAT(report.tables,
              Each(Field(&TableVerdict::method, "hashtextextended")));
  EXPECT_THAT(report.remarks, IsEmpty());
  EXPECT_THAT(TargetValue("SELECT to_regnamespace('walferry') IS NULL"),
              IsOkAndHolds("t"));
}

// It is equal, which proves nothing.
TEST_F(VerifyRowsTest, ComparesNoDatabaseWithItself) {
  VerifyOptions options = Options();
  options.endpoints.target = options.endpoints.source;
  const absl::Status status = Verify(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("source and target are one and the same database: "
                         "app at "));
  EXPECT_EQ(HintOf(status),
            "give --source and --target two different databases");
}

TEST_F(VerifyRowsTest, NamesARowThatIsMissing) {
  EXPECT_THAT(DifferencesAfter("DELETE FROM orders WHERE id = 12345"),
              ElementsAre("public.orders", "missing id=12345"));
}

TEST_F(VerifyRowsTest, NamesARowThatIsTooMuch) {
  EXPECT_THAT(DifferencesAfter("INSERT INTO lines VALUES (7, 77, 'x')"),
              ElementsAre("public.lines", "extra order_id=7, line=77"));
}

// NULLs that were there before it make a row no less a row.
TEST_F(VerifyRowsTest, ComparesRowsThatDoNotObeyANotNullThatIsNotValid) {
  if (source_->major_version() < 18) {
    GTEST_SKIP() << "NOT NULL NOT VALID is of PostgreSQL 18";
  }
  OnBoth(
      "CREATE TABLE t (i int PRIMARY KEY, v text, w int, x int); INSERT INTO t "
      "SELECT i, 'v', NULL, NULL FROM generate_series(1, 100) i;"
      "CREATE UNIQUE INDEX ON t (w);"
      "ALTER TABLE t ADD CONSTRAINT w_there NOT NULL w NOT VALID;"
      "ALTER TABLE t ADD CONSTRAINT x_there NOT NULL x NOT VALID");
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  EXPECT_THAT(DifferencesAfter("ALTER TABLE t DROP CONSTRAINT w_there, DROP "
                               "CONSTRAINT x_there; UPDATE t SET v = 'w' WHERE "
                               "i = 50; ALTER TABLE t ADD CONSTRAINT w_there "
                               "NOT NULL w NOT VALID, ADD CONSTRAINT x_there "
                               "NOT NULL x NOT VALID"),
              ElementsAre("public.t", "different i=50; v: v -> w"));
}

TEST_F(VerifyRowsTest, NamesRowsBeyondBothEnds) {
  EXPECT_THAT(DifferencesAfter("INSERT INTO orders (id) VALUES (-5), (900000); "
                               "DELETE FROM orders WHERE id IN (1, 20000)"),
              ElementsAre("public.orders", "extra id=-5", "missing id=1",
                          "missing id=20000", "extra id=900000"));
}

TEST_F(VerifyRowsTest, NamesOneByteInALongText) {
  const std::string long_text =
      "SELECT left(body, 200) || '... (6400 bytes, ' || "
      "hashtextextended(body COLLATE \"C\", 0) || ')' FROM docs WHERE id = "
      "md5('7')::uuid";
  ASSERT_OK_AND_ASSIGN(const std::string before, TargetValue(long_text));
  const std::vector<std::string> found = DifferencesAfter(
      "UPDATE docs SET body = overlay(body PLACING '!' FROM 5000) WHERE id = "
      "md5('7')::uuid");
  ASSERT_OK_AND_ASSIGN(const std::string after, TargetValue(long_text));
  EXPECT_THAT(found,
              ElementsAre("public.docs",
                          "different id=8f14e45f-ceea-167a-5a36-dedd4bea2543; "
                          "body: " +
                              before + " -> " + after));
}

TEST_F(VerifyRowsTest, TellsValuesApartThatCompareAsEqual) {
  OnBoth("INSERT INTO orders VALUES (30001, NULL, '', 1.10, 0)");
  EXPECT_THAT(DifferencesAfter("UPDATE orders SET note = NULL, price = 1.1, "
                               "weight = '-0' WHERE id = 30001"),
              ElementsAre("public.orders",
                          "different id=30001; note:  -> NULL; price: 1.10 -> "
                          "1.1; weight: 0 -> -0"));
}

TEST_F(VerifyRowsTest, NamesTwoRowsThatHaveExchangedAValue) {
  EXPECT_THAT(
      DifferencesAfter("UPDATE people p SET age = q.age FROM people q WHERE "
                       "p.name <> q.name AND p.name IN (md5('1'), md5('2')) "
                       "AND q.name IN (md5('1'), md5('2'))"),
      ElementsAre("public.people",
                  "different name=c4ca4238a0b923820dcc509a6f75849b; age: 1 -> "
                  "2",
                  "different name=c81e728d9d4c2f636f067f89cc14862c; age: 2 -> "
                  "1"));
}

TEST_F(VerifyRowsTest, CountsRowsOfATableWithoutAKey) {
  EXPECT_THAT(
      DifferencesAfter("INSERT INTO log VALUES (5, 'line 5'); DELETE FROM log "
                       "WHERE at = 4711"),
      UnorderedElementsAre("public.log", "extra at=5, line=line 5 (1/2)",
                           "missing at=4711, line=line 11"));
}

TEST_F(VerifyRowsTest, NamesTablesAndColumnsThatOneSideHas) {
  ASSERT_OK(OnSource("CREATE TABLE gone (i int)"));
  EXPECT_THAT(
      DifferencesAfter("CREATE TABLE came (i int); ALTER TABLE people ADD note "
                       "text; ALTER TABLE log DROP at"),
      ElementsAre("public.came: is not on the source",
                  "public.gone: is not on the target",
                  "public.log: columns that only the source has: at",
                  "public.people: columns that only the target has: note"));
}

TEST_F(VerifyRowsTest, ComparesByNameAndNotByPlace) {
  OnBoth("CREATE TABLE t (a int PRIMARY KEY)");
  ASSERT_OK(
      OnSource("ALTER TABLE t ADD b text, ADD c timestamptz, ADD d "
               "float8; INSERT INTO t SELECT i, 'b', '2026-01-01 "
               "00:00Z', 0.1 FROM generate_series(1, 100) i"));
  ASSERT_OK(
      OnTarget("ALTER TABLE t ADD x int, ADD d float8, ADD c "
               "timestamptz, ADD b text; ALTER TABLE t DROP x; INSERT "
               "INTO t (a, b, c, d) SELECT i, 'b', '2026-01-01 00:00Z', "
               "0.1 FROM generate_series(1, 100) i;"
               "ALTER DATABASE app SET timezone = 'Asia/Tokyo';"
               "ALTER DATABASE app SET datestyle = 'German';"
               "ALTER DATABASE app SET extra_float_digits = -10;"
               "ALTER DATABASE app SET bytea_output = 'escape'"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
}

TEST_F(VerifyRowsTest, ComparesValuesOfAllKindsOfTypes) {
  OnBoth(
      "CREATE TYPE mood AS ENUM ('', 'b'); CREATE DOMAIN moody AS mood; CREATE "
      "DOMAIN list AS int[]; CREATE TYPE pair AS (a int, b text);"
      "CREATE TABLE kinds (i int PRIMARY KEY, m mood, d moody, l list, p pair, "
      "ps pair[], r int4range, x xml, j json, c char(5), o regclass, q point, "
      "\"A \"\"b\" \"char\");"
      "INSERT INTO kinds VALUES (1, '', '', '{1}', '(1,x)', '{\"(1,x)\"}', "
      "'[1,3)', '<a/>', '{\"a\": 1}', 'ab', 'pg_class', '(1,2)', 'x');"
      "INSERT INTO kinds (i) VALUES (2), (3), (4);"
      "UPDATE kinds SET p = '(,)' WHERE i = 4");
  EXPECT_THAT(
      DifferencesAfter("UPDATE kinds SET d = NULL, j = '{\"a\":1}', \"A "
                       "\"\"b\" = 'y' WHERE i = 1; UPDATE kinds SET d = '' "
                       "WHERE i = 2; UPDATE kinds SET p = NULL WHERE i = 4"),
      ElementsAre("public.kinds",
                  "different i=1; d:  -> NULL; j: {\"a\": 1} -> {\"a\":1}; "
                  "A \"b: x -> y",
                  "different i=2; d: NULL -> ",
                  "different i=4; p: (,) -> NULL"));
}

TEST_F(VerifyRowsTest, ComparesTablesOfManyColumns) {
  ASSERT_OK_AND_ASSIGN(
      const std::string columns,
      SourceValue("SELECT string_agg('c' || i || ' text', ', ') FROM "
                  "generate_series(1, 500) i"));
  OnBoth("CREATE TABLE wide (i int PRIMARY KEY, " + columns +
         "); INSERT INTO wide (i, c500) SELECT i, 'x' FROM generate_series(1, "
         "100) i");
  EXPECT_THAT(DifferencesAfter("UPDATE wide SET c77 = '' WHERE i = 50"),
              ElementsAre("public.wide", "different i=50; c77: NULL -> "));
}

TEST_F(VerifyRowsTest, SaysWhatItCannotReadAndComparesTheRest) {
  for (const PgServer* server : {source_.get(), target_.get()}) {
    ASSERT_OK(server->Exec(
        "CREATE ROLE reader LOGIN; ALTER TABLE people ENABLE ROW LEVEL "
        "SECURITY; GRANT SELECT ON orders, lines, people, log TO reader",
        "app"));
  }
  VerifyOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reader", "", "app");
  options.endpoints.target = target_->ConnInfoAs("reader", "", "app");
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_TRUE(report.uncertain());
  EXPECT_FALSE(report.found_differences());
  EXPECT_THAT(
      Differences(report),
      ElementsAre("public.docs unknown: source: permission "
                  "denied for table "
                  "docs (SQLSTATE 42501)",
                  "public.people unknown: source: query "
                  "would be affected by "
                  "row-level security policy for table \"people\" (SQLSTATE "
                  "42501)"));
  EXPECT_THAT(
      report.remarks,
      ElementsAre("a run that is interrupted would begin anew, as nothing can "
                  "be noted on the target: permission denied for database app "
                  "(SQLSTATE 42501)"));
}

}  // namespace
}  // namespace walferry
