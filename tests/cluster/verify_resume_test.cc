// RunVerify goes on where it was interrupted, and leaves nothing behind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/ledger/verify_notes.h"
#include "engine/migration/migration.h"
#include "protocol/pg_connection.h"
#include "tests/cluster/verify_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class VerifyResumeTest : public VerifyTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    OnBoth(kVerifiedTables);
  }

  // A run that is told to stop when the target has noted `ranges` of orders.
  void StopAfter(int ranges) {
    ASSERT_OK(OnTarget(
        "CREATE SCHEMA walferry; CREATE TABLE walferry.verify_range (migration "
        "text NOT NULL, schema_name text NOT NULL, table_name text NOT NULL, "
        "range bigint NOT NULL, signature text NOT NULL, boundary text[], "
        "equal_rows bigint, noted_at timestamptz NOT NULL DEFAULT "
        "clock_timestamp(), PRIMARY KEY (migration, schema_name, table_name, "
        "range));"
        "CREATE FUNCTION walferry.stop() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF (SELECT count(*) FROM walferry.verify_range WHERE "
        "table_name = 'orders' AND equal_rows IS NOT NULL) >= " +
        absl::StrCat(ranges) +
        " THEN PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE "
        "application_name = 'walferry test: verify'; END IF; RETURN NULL; END "
        "$$;"
        "CREATE TRIGGER stop AFTER UPDATE ON walferry.verify_range FOR EACH "
        "ROW EXECUTE FUNCTION walferry.stop()"));
    VerifyOptions options = Options();
    options.jobs = 1;
    EXPECT_EQ(Verify(options).status().code(), absl::StatusCode::kUnavailable);
    ASSERT_OK(OnTarget("DROP FUNCTION walferry.stop() CASCADE"));
    EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.verify_range WHERE "
                            "table_name = 'orders' AND equal_rows IS NOT NULL"),
                IsOkAndHolds(absl::StrCat(ranges)));
  }
};

TEST_F(VerifyResumeTest, ComparesNoRangeTwice) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
  const TableVerdict& orders = Of(report, "orders");
  EXPECT_EQ(orders.ranges_kept, 5);
  EXPECT_EQ(orders.ranges, orders.ranges_total);
  EXPECT_EQ(orders.source_rows, 20000);
  EXPECT_THAT(TargetValue("SELECT to_regnamespace('walferry') IS NULL"),
              IsOkAndHolds("t"));
}

TEST_F(VerifyResumeTest, ComparesAllAgainIfItIsAskedAnotherWay) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  VerifyOptions options = Options();
  options.range_bytes = 128 << 10;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_EQ(Of(report, "orders").ranges_kept, 0);
}

// The notes would be older than what has changed since.
TEST_F(VerifyResumeTest, ForgetsWhatWasNotedIfItBeginsAnew) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  ASSERT_OK(OnTarget("DELETE FROM orders WHERE id = 1"));
  VerifyOptions options = Options();
  options.resume = false;
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(options));
  EXPECT_EQ(Of(report, "orders").ranges_kept, 0);
  EXPECT_THAT(Differences(report),
              ElementsAre("public.orders", "missing id=1"));
  EXPECT_THAT(TargetValue("SELECT to_regnamespace('walferry') IS NULL"),
              IsOkAndHolds("t"));
}

TEST_F(VerifyResumeTest, SaysHowOldIsWhatItDoesNotCompareAgain) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  ASSERT_OK(
      OnTarget("UPDATE walferry.verify_range SET noted_at = "
               "date_trunc('second', clock_timestamp()) - interval '1 "
               "hour' * (1 + range % 2) WHERE equal_rows IS NOT NULL"));
  ASSERT_OK_AND_ASSIGN(
      const std::string span,
      TargetValue("SELECT to_char(min(noted_at) AT TIME ZONE 'UTC', "
                  "'YYYY-MM-DD HH24:MI:SS') || ' UTC to ' || "
                  "to_char(max(noted_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD "
                  "HH24:MI:SS') || ' UTC' FROM walferry.verify_range WHERE "
                  "equal_rows IS NOT NULL"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  int64_t ranges = 0;
  for (const TableVerdict& table : report.tables) ranges += table.ranges_kept;
  EXPECT_GE(ranges, 5);
  EXPECT_THAT(
      report.remarks,
      ElementsAre(absl::StrCat(ranges, " ranges are as of ", span,
                               ", when a run before found them equal, and not "
                               "compared again")));
}

TEST_F(VerifyResumeTest, ComparesAgainWhatWasFoundEqualADayAgo) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  ASSERT_OK(
      OnTarget("UPDATE walferry.verify_range SET noted_at = noted_at - "
               "interval '24 hours 1 second'"));
  EXPECT_THAT(DifferencesAfter("DELETE FROM orders WHERE id = 1"),
              ElementsAre("public.orders", "missing id=1"));
}

// TRUNCATE and COPY leave the table's OID as it was.
TEST_F(VerifyResumeTest, ComparesATableAgainThatWasWrittenAnew) {
  for (const bool on_source : {false, true}) {
    ASSERT_NO_FATAL_FAILURE(StopAfter(5));
    const char kAnew[] = "CLUSTER orders USING orders_pkey";
    ASSERT_OK(on_source ? OnSource(kAnew) : OnTarget(kAnew));
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
    EXPECT_EQ(Of(report, "orders").ranges_kept, 0);
    EXPECT_THAT(Differences(report), IsEmpty());
  }
}

TEST_F(VerifyResumeTest, NotesNothingWhileAnotherOneOfItsNameDoes) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection other,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK(
      other.Exec("SELECT pg_advisory_lock(hashtext('walferry verify'), "
                 "hashtext('walferry.test'))"));
  ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify());
  EXPECT_THAT(Differences(report), IsEmpty());
  EXPECT_THAT(
      report.remarks,
      ElementsAre("a run that is interrupted would begin anew, as nothing can "
                  "be noted on the target: target: another comparison of the "
                  "name test is at work"));
}

TEST_F(VerifyResumeTest, MarksNoRangesOfAnotherOneOfItsName) {
  const LedgerKey key = {.schema = "walferry", .migration = "test"};
  std::vector<VerifyNotes> notes;
  for (int i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(
        PgConnection session,
        PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
    notes.emplace_back(std::move(session), key);
    ASSERT_OK(notes.back().Create());
  }
  const QualifiedName table = {"public", "orders"};
  ASSERT_OK(notes[0].Begin(table, "one way", {{"5"}}));
  ASSERT_OK(notes[0].SetEqual(table, 0, 5));
  ASSERT_OK(notes[0].SetEqual(table, 1, 7));
  ASSERT_OK(notes[1].Begin(table, "one way", {{"6"}}));
  ASSERT_OK(notes[1].SetEqual(table, 0, 6));
  EXPECT_THAT(
      notes[0].SetEqual(table, 0, 5),
      StatusIs(absl::StatusCode::kAborted,
               "target: the notes of table public.orders are not those of this "
               "comparison any more: another one of the name test has changed "
               "them, or they were removed"));
  ASSERT_OK(notes[1].Begin(table, "another way", {{"5"}}));
  EXPECT_THAT(notes[0].SetEqual(table, 1, 5),
              StatusIs(absl::StatusCode::kAborted, ::testing::_));
}

TEST_F(VerifyResumeTest, FindsWhatDiffersInTheRestOfTheRanges) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(5));
  EXPECT_THAT(DifferencesAfter("DELETE FROM orders WHERE id = 19999"),
              ElementsAre("public.orders", "missing id=19999"));
}

TEST_F(VerifyResumeTest, CleanupForgetsAnInterruptedComparison) {
  ASSERT_NO_FATAL_FAILURE(StopAfter(2));
  Control control;
  EXPECT_THAT(
      RunCleanup({.endpoints = Both()}, control),
      IsOkAndHolds(ElementsAre("target: notes of comparison test forgotten")));
  EXPECT_THAT(TargetValue("SELECT to_regnamespace('walferry') IS NULL"),
              IsOkAndHolds("t"));
}

}  // namespace
}  // namespace walferry
