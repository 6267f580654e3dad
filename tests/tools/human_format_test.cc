#include "tools/human_format.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(HumanBytes, KeepsTwoOrThreeDigits) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1023), "1023 B");
  EXPECT_EQ(HumanBytes(1024), "1.0 KiB");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(10 * 1024), "10 KiB");
  EXPECT_EQ(HumanBytes(85.4 * 1024 * 1024), "85 MiB");
  EXPECT_EQ(HumanBytes(3.25 * 1024 * 1024 * 1024), "3.2 GiB");
  EXPECT_EQ(HumanBytes(9e18), "7.8 EiB");
  EXPECT_EQ(HumanBytes(9e22), "78063 EiB");
}

TEST(HumanBytes, RoundsIntoTheNextUnit) {
  EXPECT_EQ(HumanBytes(1024 * 1024 - 1), "1.0 MiB");
  EXPECT_EQ(HumanBytes(9.97 * 1024), "10 KiB");
}

TEST(HumanRate, IsBytesPerSecond) {
  EXPECT_EQ(HumanRate(2.5 * 1024 * 1024), "2.5 MiB/s");
}

TEST(HumanDuration, ShowsTheTwoLargestUnits) {
  EXPECT_EQ(HumanDuration(absl::ZeroDuration()), "0 ms");
  EXPECT_EQ(HumanDuration(absl::Microseconds(850600)), "851 ms");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(4210)), "4.2 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(59600)), "1 min 00 s");
  EXPECT_EQ(HumanDuration(absl::Seconds(65)), "1 min 05 s");
  EXPECT_EQ(HumanDuration(absl::Minutes(123)), "2 h 03 min");
  EXPECT_EQ(HumanDuration(absl::Hours(76)), "3 d 04 h");
  EXPECT_EQ(HumanDuration(absl::InfiniteDuration()), "?");
}

TEST(HumanDuration, RoundsIntoTheNextUnit) {
  EXPECT_EQ(HumanDuration(absl::Microseconds(999600)), "1.0 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(9960)), "10 s");
  EXPECT_EQ(HumanDuration(absl::Milliseconds(3599700)), "1 h 00 min");
}

TEST(HumanCount, GroupsThousands) {
  EXPECT_EQ(HumanCount(0), "0");
  EXPECT_EQ(HumanCount(999), "999");
  EXPECT_EQ(HumanCount(1000), "1,000");
  EXPECT_EQ(HumanCount(12345678), "12,345,678");
  EXPECT_EQ(HumanCount(-123), "-123");
  EXPECT_EQ(HumanCount(-123456), "-123,456");
}

TEST(HumanCount, AgreesInNumberWithItsNoun) {
  EXPECT_EQ(HumanCount(1, "table", "tables"), "1 table");
  EXPECT_EQ(HumanCount(0, "table", "tables"), "0 tables");
  EXPECT_EQ(HumanCount(1200, "table", "tables"), "1,200 tables");
}

TEST(HumanPercent, IsNotDoneBeforeItIsDone) {
  EXPECT_EQ(HumanPercent(0, 10), "0%");
  EXPECT_EQ(HumanPercent(351, 1000), "35%");
  EXPECT_EQ(HumanPercent(9999, 10000), "99%");
  EXPECT_EQ(HumanPercent(10000, 10000), "100%");
  EXPECT_EQ(HumanPercent(12000, 10000), "100%");  // The whole is an estimate.
}

}  // namespace
}  // namespace walferry
