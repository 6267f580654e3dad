#include "tools/event_text.h"

#include "gtest/gtest.h"
#include "tests/tools/sample_events.h"

namespace walferry {
namespace {

TEST(ProgressText, SaysHowFarAndHowLong) {
  EXPECT_EQ(ProgressText(SampleProgress(), 90.0 * 1024 * 1024),
            "12 of 40 tables, 1.2 GiB of 3.4 GiB (35%), 90 MiB/s, about 25 s "
            "left");
}

TEST(ProgressText, LeavesOutWhatIsUnknown) {
  EXPECT_EQ(
      ProgressText(
          {.phase = Phase::kIndexes, .items_done = 3, .items_total = 1200}, 0),
      "3 of 1,200 steps");
  EXPECT_EQ(
      ProgressText(
          {.phase = Phase::kVerify, .items_done = 3, .items_total = 40}, 0),
      "3 of 40 tables");
  EXPECT_EQ(ProgressText({.phase = Phase::kCopy, .bytes = 2048}, 1024),
            "2.0 KiB, 1.0 KiB/s");
  EXPECT_EQ(
      ProgressText({.phase = Phase::kCopy, .elapsed = absl::Seconds(2)}, 0),
      "2.0 s");
}

TEST(LagText, SaysBytesSecondsAndPosition) {
  EXPECT_EQ(LagText(SampleLag()),
            "lag 1.2 MiB, 800 ms; applied 1/0; 12,345 transactions, 88,000 "
            "changes");
}

TEST(ConflictText, HasEveryFact) {
  EXPECT_EQ(
      ConflictText(SampleConflict()),
      "conflict: the target does not take this update on public.\"Orders\" "
      "(update_missing)\n"
      "  key         id=7\n"
      "  transaction 735, committed 2026-01-01 00:00:00.000000 UTC\n"
      "  commit LSN  0/16B3748\n"
      "  end LSN     0/16B3778\n"
      "  slot        walferry_shop\n"
      "  SQLSTATE    P0002\n"
      "  message     no row with this key");
}

TEST(ConflictText, LeavesOutEmptyFacts) {
  ConflictFound found = SampleConflict();
  found.conflict.key = "";
  found.conflict.sqlstate = "";
  const std::string text = ConflictText(found);
  EXPECT_EQ(text.find("key  "), std::string::npos);
  EXPECT_EQ(text.find("SQLSTATE"), std::string::npos);
}

TEST(TimeLeft, IsUnknownWithoutTotalOrRate) {
  EXPECT_EQ(TimeLeft(1, 0, 5), absl::InfiniteDuration());
  EXPECT_EQ(TimeLeft(1, 10, 0), absl::InfiniteDuration());
  EXPECT_EQ(TimeLeft(11, 10, 5), absl::ZeroDuration());
  EXPECT_EQ(TimeLeft(5, 10, 5), absl::Seconds(1));
}

}  // namespace
}  // namespace walferry
