// RunVerify says neither more nor less than it knows: what is compared, what is
// left out, and what of it is only at least so.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/verify/large_object_comparison.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"
#include "tests/cluster/verify_fixture.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/server_binaries.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VerifyExactTest : public VerifyTest {
 protected:
  // With statements that run when both snapshots are there and no row was read.
  absl::StatusOr<VerifyReport> VerifyWhile(const std::string& on_source,
                                           const std::string& on_target) {
    AtPhase act(Phase::kVerify, [&] {
      EXPECT_OK(OnSource(on_source));
      EXPECT_OK(OnTarget(on_target));
    });
    Control control;
    return RunVerify(Options(), control, act);
  }

  void MakeTrees() {
    const std::string tree =
        "CREATE TABLE t (i int PRIMARY KEY, v text) PARTITION BY RANGE (i);"
        "CREATE TABLE t0 PARTITION OF t FOR VALUES FROM (0) TO (100);";
    const std::string rows =
        "INSERT INTO t SELECT i, 'v' FROM generate_series(0, 299) i";
    ASSERT_OK(OnSource(absl::StrCat(
        tree,
        "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (100) TO (200);"
        "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (200) TO (300);",
        rows)));
    ASSERT_OK(OnTarget(absl::StrCat(
        tree, "CREATE TABLE t3 PARTITION OF t FOR VALUES FROM (100) TO (300);",
        rows)));
  }
};

// Both look empty then: TRUNCATE takes a table's rows out of all snapshots.
TEST_F(VerifyExactTest, KnowsNothingOfATableThatIsTruncatedBeforeItIsRead) {
  OnBoth("CREATE TABLE t (i int); CREATE TABLE u (i int PRIMARY KEY)");
  ASSERT_OK(OnSource("INSERT INTO t VALUES (1); INSERT INTO u VALUES (1)"));
  ASSERT_OK_AND_ASSIGN(
      const VerifyReport report,
      VerifyWhile("TRUNCATE t", "ALTER TABLE u ALTER i TYPE bigint"));
  EXPECT_THAT(
      Differences(report),
      ElementsAre("public.t unknown: source: table \"public\".\"t\" was "
                  "truncated or written anew after the snapshot was taken, "
                  "which may not show its rows any more: compare it again",
                  "public.u unknown: target: table \"public\".\"u\" was "
                  "truncated or written anew after the snapshot was taken, "
                  "which may not show its rows any more: compare it again"));
  EXPECT_TRUE(report.uncertain());
}

TEST_F(VerifyExactTest, ComparesOnlyThePartitionsThatAreInScope) {
  ASSERT_NO_FATAL_FAILURE(MakeTrees());
  ASSERT_OK(OnTarget("DELETE FROM t WHERE i = 50"));
  EXPECT_THAT(DifferencesAfter("SELECT"),
              ElementsAre("public.t", "missing i=50"));
  VerifyOptions options = Options();
  options.scope.exclude_tables = {"t0"};
  ASSERT_OK_AND_ASSIGN(VerifyReport report, Verify(options));
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_EQ(Of(report, "t").source_rows, 200);
  EXPECT_THAT(report.remarks,
              ElementsAre("only those partitions are compared that are in "
                          "scope and not foreign: of public.t (2 on the "
                          "source, 1 on the target)"));
  ASSERT_OK(OnTarget("UPDATE t SET v = 'w' WHERE i IN (60, 150)"));
  ASSERT_OK_AND_ASSIGN(report, Verify(options));
  EXPECT_THAT(Differences(report),
              ElementsAre("public.t", "different i=150; v: v -> w"));
  // What is asked for by name and has no like is compared with nothing else.
  options = Options();
  options.scope.tables = {"t1"};
  ASSERT_OK_AND_ASSIGN(report, Verify(options));
  EXPECT_THAT(Differences(report),
              ElementsAre("public.t1: is not on the target"));
}

TEST_F(VerifyExactTest, KnowsNothingOfAPartOfATreeBesideOneTable) {
  ASSERT_NO_FATAL_FAILURE(MakeTrees());
  ASSERT_OK(
      OnTarget("CREATE TABLE u AS TABLE t; DROP TABLE t; ALTER TABLE u RENAME "
               "TO t"));
  EXPECT_THAT(DifferencesAfter("SELECT"), IsEmpty());
  VerifyOptions options = Options();
  options.scope.exclude_tables = {"t2"};
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_THAT(Differences(report),
              ElementsAre("public.t unknown: some of its partitions on the "
                          "source are out of scope, and the target has one "
                          "table for all"));
}

TEST_F(VerifyExactTest, ReportsAreUtf8WhateverBothDatabasesAre) {
  for (const PgServer* server : {source_.get(), target_.get()}) {
    ASSERT_OK(server->Exec("DROP DATABASE app"));
    ASSERT_OK(server->Exec(
        "CREATE DATABASE app ENCODING 'LATIN1' TEMPLATE template0"));
  }
  OnBoth(
      R"(CREATE TABLE U&"gr\00F6\00DFe" (k text PRIMARY KEY, U&"\00E4" text);
         CREATE TABLE other (i int);
         INSERT INTO U&"gr\00F6\00DFe" SELECT U&'\00F6' || i, U&'\00E9' FROM
           generate_series(1, 9000) i)");
  ASSERT_OK(OnTarget(R"(UPDATE U&"gr\00F6\00DFe" SET U&"\00E4" = U&'\00E8'
                  WHERE k = U&'\00F677')"));
  VerifyOptions options = Options();
  options.scope.tables = {"größe"};
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_EQ(report.tables.size(), 1);
  EXPECT_EQ(Of(report, "größe").method, "hashtextextended");
  EXPECT_THAT(Differences(report),
              ElementsAre("public.\"größe\"", "different k=ö77; ä: é -> è"));
}

TEST_F(VerifyExactTest, SaysWhichSequencesAndLargeObjectsItLeavesOut) {
  OnBoth("CREATE TABLE t (i serial); SELECT lo_create(7001)");
  ASSERT_OK(OnTarget("SELECT lo_create(7002)"));
  VerifyOptions options = Options();
  options.scope.tables = {"t"};
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_THAT(
      report.remarks,
      ElementsAre("sequences are not compared, as no objects are: the source "
                  "has 1",
                  "large objects are not compared where schemas or tables are "
                  "asked for, as they are in none: the source has 1, the "
                  "target 2"));
}

TEST_F(VerifyExactTest, ComparesAVirtualColumnWithAStoredOneOnly) {
  if (source_->major_version() < 18) {
    GTEST_SKIP() << "virtual columns are of PostgreSQL 18";
  }
  const std::string table =
      "CREATE TABLE t (i int PRIMARY KEY, v int GENERATED ALWAYS AS (i) "
      "VIRTUAL, w int GENERATED ALWAYS AS ";
  ASSERT_OK(OnSource(table + "(i + 1) VIRTUAL); INSERT INTO t VALUES (1)"));
  ASSERT_OK(OnTarget(table + "(i + 2) STORED); INSERT INTO t VALUES (1)"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report),
              ElementsAre("public.t", "different i=1; w: 2 -> 3"));
  EXPECT_THAT(report.remarks,
              ElementsAre("virtual columns are not compared, as they are made "
                          "of others when they are read: public.t.v"));
}

TEST_F(VerifyExactTest, LeavesNoLargeObjectOpen) {
  OnBoth("SELECT lo_from_bytea(oid, 'x') FROM generate_series(7001, 7100) oid");
  ASSERT_OK_AND_ASSIGN(const auto snapshots, TakeSnapshotPair(Both(), nullptr));
  ASSERT_OK_AND_ASSIGN(SessionPair sessions, snapshots->Open(nullptr));
  ASSERT_OK_AND_ASSIGN(const auto verdict,
                       CompareLargeObjects(sessions, RowHash::kHashText,
                                           /*count_only=*/false, 10));
  EXPECT_EQ(verdict->outcome, TableVerdict::Outcome::kEqual);
  // The lowest number that is free.
  EXPECT_THAT(sessions.source.QueryValue("SELECT lo_open(7001, 262144)"),
              IsOkAndHolds("0"));
}

// Of one table 10, of all tables as much as there is room for.
TEST_F(VerifyExactTest, KeepsSomeRowsAndCountsThatOthersDiffer) {
  OnBoth(
      "CREATE TABLE a (i int PRIMARY KEY, v text); CREATE TABLE b (LIKE a "
      "INCLUDING ALL); INSERT INTO a SELECT i, 'v' FROM generate_series(1, "
      "300) i; INSERT INTO b SELECT i, 'v' FROM generate_series(1, 200) i");
  ASSERT_OK(OnTarget("UPDATE a SET v = 'w'; UPDATE b SET v = 'w'"));
  ASSERT_OK_AND_ASSIGN(const auto snapshots, TakeSnapshotPair(Both(), nullptr));
  ASSERT_OK_AND_ASSIGN(const Scope scope, Scope::Create({}));
  ASSERT_OK_AND_ASSIGN(SessionPair sessions, snapshots->Open(nullptr));
  ASSERT_OK_AND_ASSIGN(
      const TablePairs found,
      FindTablePairs(sessions, scope, VerifyShare::kAll, "walferry"));
  Control control;
  RowComparisonOptions options{
      .jobs = 1, .max_reported = 250, .max_reported_bytes = 1};
  ASSERT_OK_AND_ASSIGN(RowComparisonResult none,
                       CompareTableRows(options, *snapshots, found.pairs,
                                        nullptr, control, events_));
  for (const TableVerdict& table : none.tables) {
    EXPECT_EQ(table.outcome, TableVerdict::Outcome::kDifferent);
    EXPECT_THAT(table.rows, IsEmpty());
    EXPECT_EQ(table.different, table.table.name == "a" ? 300 : 200);
    EXPECT_TRUE(table.rows_left_out);
    EXPECT_FALSE(table.at_least);
    EXPECT_EQ(table.detail, "there are more differences than are reported");
  }
  options.max_reported_bytes = 1 << 20;
  ASSERT_OK_AND_ASSIGN(RowComparisonResult some,
                       CompareTableRows(options, *snapshots, found.pairs,
                                        nullptr, control, events_));
  for (const TableVerdict& table : some.tables) {
    EXPECT_EQ(table.rows.size(), table.table.name == "a" ? 250 : 200);
    EXPECT_EQ(table.rows_left_out, table.table.name == "a");
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VerifyOldFloatsTest);

class VerifyOldFloatsTest : public VerifyTest,
                            public ::testing::WithParamInterface<std::string> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam()});
    if (!HasFatalFailure()) CreateApp();
  }
};

// Until 11 a float is printed with 17 digits where it needs no more than 2.
TEST_P(VerifyOldFloatsTest, AreEqualWhereverTheyAre) {
  OnBoth(
      "CREATE DOMAIN weight AS float8; CREATE DOMAIN heavy AS weight;"
      "CREATE DOMAIN weights AS float8[]; CREATE TYPE pack AS (w float8, r "
      "real); CREATE TYPE span AS RANGE (subtype = float8);"
      "CREATE TABLE t (i int PRIMARY KEY, f float8, r real, d heavy, a "
      "float8[], b weights, p point, c pack, s span, q pack[]);"
      "INSERT INTO t SELECT i, i / 7.0, i / 7.0, i / 7.0, ARRAY[i / 7.0], "
      "ARRAY[i / 7.0], point(i / 7.0, 0.1), (i / 7.0, i / 7.0)::pack, span(0.1,"
      " i + 0.3), ARRAY[(0.1, 0.1)::pack] FROM generate_series(1, 3000) i");
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
  const std::string rounded =
      "floats that are parts of other values are compared to 15 digits, of "
      "real to 6, as servers before PostgreSQL 12 print the rest in another "
      "way: public.t.c, public.t.s, public.t.q";
  if (source_->major_version() >= 12) {
    EXPECT_THAT(report.remarks, IsEmpty());
    return;
  }
  EXPECT_THAT(report.remarks, ElementsAre(rounded));
  // One bit, in the last digit.
  EXPECT_THAT(
      DifferencesAfter("UPDATE t SET d = 0.3 + 1e-16 WHERE i = 3; UPDATE t SET "
                       "c = (0.1, 0.2)::pack WHERE i = 7"),
      ElementsAre("public.t",
                  testing::MatchesRegex("different i=3; d: .* -> .*"),
                  testing::MatchesRegex("different i=7; c: .* -> .*")));
}

INSTANTIATE_TEST_SUITE_P(Servers, VerifyOldFloatsTest,
                         ::testing::ValuesIn(OldServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
