// RunVerify by other ways than ranges of a key: unlike orders, partitions,
// encodings; counts, samples, estimates, large objects, questions.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/verify_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using VerifyWaysTest = VerifyTest;

TEST_F(VerifyWaysTest, ComparesTextKeysThatTheSidesOrderInOtherWays) {
  ASSERT_OK(OnSource("CREATE TABLE t (k text PRIMARY KEY, v int)"));
  ASSERT_OK(OnTarget(
      "CREATE TABLE t (k text COLLATE \"en-x-icu\" PRIMARY KEY, v int)"));
  // On disk they are as the source orders them: all K before all k.
  OnBoth(
      "INSERT INTO t SELECT CASE WHEN i < 10000 THEN 'K' ELSE 'k' END || "
      "lpad((i % 10000)::text, 6, '0'), i FROM generate_series(0, 19999) i");
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  EXPECT_THAT(DifferencesAfter("UPDATE t SET v = 0 WHERE k = 'k009999';"
                               "DELETE FROM t WHERE k = 'K000010'"),
              ElementsAre("public.t", "missing k=K000010",
                          "different k=k009999; v: 19999 -> 0"));
}

TEST_F(VerifyWaysTest, ComparesPartitionsOneByOneIfTheyAreAlike) {
  OnBoth(
      "CREATE TABLE t (i int PRIMARY KEY, v text) PARTITION BY RANGE (i);"
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
      "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200);"
      "INSERT INTO t SELECT i, 'v' FROM generate_series(0, 199) i");
  EXPECT_THAT(DifferencesAfter("UPDATE t SET v = 'w' WHERE i = 150"),
              ElementsAre("public.t2", "different i=150; v: v -> w"));
}

TEST_F(VerifyWaysTest, ComparesPartitionsAsAWholeIfTheyAreNotAlike) {
  const std::string table =
      "CREATE TABLE t (i int PRIMARY KEY, v text) PARTITION BY RANGE (i);";
  const std::string rows =
      "INSERT INTO t SELECT i, 'v' FROM generate_series(0, 199) i";
  ASSERT_OK(OnSource(
      table +
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100);"
      "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (100) TO (200);" +
      rows));
  ASSERT_OK(OnTarget(
      table + "CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (0) TO (200);" +
      rows));
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  EXPECT_THAT(
      DifferencesAfter("UPDATE t SET v = 'w' WHERE i = 150; DELETE "
                       "FROM t WHERE i = 50"),
      ElementsAre("public.t", "different i=150; v: v -> w", "missing i=50"));
}

TEST_F(VerifyWaysTest, ComparesOtherEncodings) {
  ASSERT_OK(target_->Exec("DROP DATABASE app"));
  ASSERT_OK(target_->Exec(
      "CREATE DATABASE app ENCODING 'LATIN1' TEMPLATE template0"));
  OnBoth(
      "CREATE TABLE t (k text PRIMARY KEY, v text); INSERT INTO t SELECT "
      "U&'\\00F6' || i, U&'\\00E9' FROM generate_series(1, 3000) i");
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_EQ(Of(report, "t").method, "sha256");
  EXPECT_THAT(
      DifferencesAfter("UPDATE t SET v = U&'\\00E8' WHERE k = U&'\\00F677'"),
      ElementsAre("public.t", "different k=ö77; v: é -> è"));
}

TEST_F(VerifyWaysTest, CountsRows) {
  OnBoth(kVerifiedTables);
  VerifyOptions options = Options();
  options.method = VerifyMethod::kCounts;
  ASSERT_OK_AND_ASSIGN(VerifyReport report, Verify(options));
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_EQ(Of(report, "lines").source_rows, 20000);
  EXPECT_EQ(Of(report, "lines").method, "count");
  ASSERT_OK(OnTarget("DELETE FROM orders WHERE id % 1000 = 0"));
  ASSERT_OK_AND_ASSIGN(report, Verify(options));
  EXPECT_THAT(Differences(report), ElementsAre("public.orders"));
  EXPECT_EQ(Of(report, "orders").source_rows, 20000);
  EXPECT_EQ(Of(report, "orders").target_rows, 19980);
}

TEST_F(VerifyWaysTest, WarnsOfEstimatesThatDiffer) {
  OnBoth(kVerifiedTables);
  OnBoth("ALTER TABLE people SET (autovacuum_enabled = off)");
  ASSERT_OK(OnTarget("DELETE FROM orders WHERE id % 5 = 0"));
  OnBoth("ANALYZE orders, lines, log, docs");
  ASSERT_OK(OnTarget("ANALYZE people"));
  VerifyOptions options = Options();
  options.method = VerifyMethod::kEstimate;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_FALSE(report.found_differences());
  EXPECT_THAT(
      Differences(report),
      ElementsAre("public.orders warning: the estimates differ by more than "
                  "10 %",
                  "public.people warning: no estimate on the source: the table "
                  "was never analysed"));
}

TEST_F(VerifyWaysTest, TakesTheSameSampleForTheSameSeed) {
  OnBoth(kVerifiedTables);
  VerifyOptions options = Options();
  options.method = VerifyMethod::kSample;
  options.sample_percent = 20;
  ASSERT_OK_AND_ASSIGN(const VerifyReport first, Verify(options));
  ASSERT_OK_AND_ASSIGN(const VerifyReport second, Verify(options));
  options.seed = 2;
  ASSERT_OK_AND_ASSIGN(const VerifyReport other, Verify(options));
  EXPECT_THAT(Differences(first), IsEmpty());
  EXPECT_GT(Of(first, "orders").ranges, 0);
  EXPECT_LT(Of(first, "orders").ranges, Of(first, "orders").ranges_total);
  EXPECT_EQ(first.rows_compared, second.rows_compared);
  EXPECT_NE(first.rows_compared, other.rows_compared);
  EXPECT_EQ(Of(first, "orders").source_rows, -1);
}

TEST_F(VerifyWaysTest, ComparesLargeObjects) {
  OnBoth(
      "SELECT lo_create(7001), lo_from_bytea(7002, '\\x0001ff'), "
      "lo_from_bytea(7003, convert_to(repeat('x', 3000000), 'UTF8'))");
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  ASSERT_OK(
      OnTarget("SELECT lo_put(7003, 2999999, 'y'), lo_unlink(7001), "
               "lo_create(7009)"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  const TableVerdict& objects = Of(report, "pg_largeobject");
  EXPECT_EQ(objects.source_rows, 3);
  EXPECT_EQ(objects.target_rows, 3);
  std::vector<std::string> found;
  for (const RowDifference& row : objects.rows) found.push_back(row.key);
  EXPECT_THAT(found, ElementsAre("loid=7001", "loid=7009", "loid=7003"));
  EXPECT_EQ(objects.missing, 1);
  EXPECT_EQ(objects.extra, 1);
  EXPECT_EQ(objects.different, 1);
}

TEST_F(VerifyWaysTest, AsksBothSidesTheOperatorsQuestions) {
  OnBoth("CREATE TABLE t (i int)");
  ASSERT_OK(OnSource("INSERT INTO t VALUES (100)"));
  ASSERT_OK(OnTarget("INSERT INTO t VALUES (103)"));
  VerifyOptions options = Options();
  options.method = VerifyMethod::kOff;
  options.checks = {
      {.name = "same", .sql = "SELECT count(*) FROM public.t"},
      {.name = "other", .sql = "SELECT i FROM public.t"},
      {.name = "near",
       .sql = "SELECT i FROM public.t",
       .tolerance = "5",
       .tolerance_in_percent = true},
      {.name = "null",
       .sql = "SELECT max(i) FROM public.t "
              "WHERE i < 0"},
      {.name = "null on one side",
       .sql = "SELECT max(i) FROM public.t WHERE i > 100",
       .tolerance = "5"},
      {.name = "null though expected", .sql = "SELECT NULL", .expect = "1"},
      {.name = "wrong", .sql = "SELECT x FROM public.t"}};
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  std::vector<std::string> lines;
  for (const CheckVerdict& check : report.checks) {
    lines.push_back(absl::StrCat(check.name,
                                 check.unknown ? " unknown "
                                 : check.equal ? " equal "
                                               : " ",
                                 check.source, "/", check.target, " ",
                                 check.detail));
  }
  EXPECT_THAT(
      lines,
      ElementsAre(
          "same equal 1/1 ", "other 100/103 the answers differ",
          "near equal 100/103 ", "null equal NULL/NULL ",
          "null on one side NULL/103 the answers differ",
          "null though expected NULL/NULL not as expected, which is 1",
          "wrong unknown column \"x\" does not exist (SQLSTATE 42703)/column "
          "\"x\" does not exist (SQLSTATE 42703) the query failed on "
          "both sides"));
}

// The transactions go on behind what fails.
TEST_F(VerifyWaysTest, SaysWhichSequencesItCannotRead) {
  OnBoth(
      "CREATE ROLE reader LOGIN; CREATE TABLE a (id serial, v int); CREATE "
      "TABLE b (id serial); CREATE SEQUENCE c; INSERT INTO b VALUES (1);"
      "GRANT SELECT ON a, a_id_seq, b_id_seq TO reader; SELECT "
      "setval('b_id_seq', 5)");
  ASSERT_OK(OnTarget("SELECT setval('b_id_seq', 4)"));
  VerifyOptions options = Options();
  options.method = VerifyMethod::kOff;
  options.schema = true;
  options.endpoints.source = source_->ConnInfoAs("reader", "", "app");
  options.endpoints.target = target_->ConnInfoAs("reader", "", "app");
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  std::vector<std::string> lines;
  for (const ObjectDifference& object : report.objects) {
    const bool unknown = object.weight == ObjectDifference::Weight::kUnknown;
    lines.push_back(absl::StrCat(unknown ? "unknown: " : "", object.object, " ",
                                 object.what, " [", object.source, " -> ",
                                 object.target, "]"));
  }
  EXPECT_THAT(
      lines,
      ElementsAre("unknown: public.b_id_seq could not be compared: target: "
                  "permission denied for table b (SQLSTATE 42501) [ -> ]",
                  "public.b_id_seq is behind the source's [5 -> 4]",
                  "unknown: public.c could not be compared: source: "
                  "permission denied for sequence c (SQLSTATE 42501) [ -> ]",
                  "unknown: public.c could not be compared: target: "
                  "permission denied for sequence c (SQLSTATE 42501) [ -> ]"));
  EXPECT_TRUE(report.uncertain());
  EXPECT_TRUE(report.found_differences());
}

TEST_F(VerifyWaysTest, KeepsNoMoreRowsThanAreAskedFor) {
  OnBoth(kVerifiedTables);
  ASSERT_OK(OnTarget("UPDATE orders SET note = 'x'"));
  VerifyOptions options = Options();
  options.max_reported = 10;
  options.jobs = 1;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  const TableVerdict& orders = Of(report, "orders");
  EXPECT_EQ(orders.rows.size(), 10);
  EXPECT_TRUE(orders.rows_left_out);
  EXPECT_GE(orders.different, 10);
  EXPECT_EQ(orders.detail,
            "there are more differences than are reported, and not all were "
            "counted");
}

}  // namespace
}  // namespace walferry
