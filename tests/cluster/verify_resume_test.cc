// RunVerify goes on where it was interrupted, and leaves nothing behind.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/migration.h"
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
