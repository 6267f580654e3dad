#include "tools/rate_meter.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(RateMeter, NeedsTwoTimes) {
  RateMeter meter;
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Add(absl::Seconds(1), 100);
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Add(absl::Seconds(1), 200);
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Add(absl::Seconds(3), 600);
  EXPECT_EQ(meter.PerSecond(), 200);
}

// What an earlier run copied is in the first value and does not count.
TEST(RateMeter, CountsFromTheFirstValue) {
  RateMeter meter;
  meter.Add(absl::ZeroDuration(), 1e9);
  meter.Add(absl::Seconds(2), 1e9 + 10);
  EXPECT_EQ(meter.PerSecond(), 5);
}

TEST(RateMeter, ForgetsTheDistantPast) {
  RateMeter meter;
  double value = 0;
  for (int second = 0; second <= 100; ++second) {
    meter.Add(absl::Seconds(second), value);
    value += second < 50 ? 1000 : 1;
  }
  EXPECT_EQ(meter.PerSecond(), 1);
}

TEST(RateMeter, BeginsAnewWhenTheCounterFalls) {
  RateMeter meter;
  meter.Add(absl::Seconds(1), 100);
  meter.Add(absl::Seconds(2), 200);
  meter.Add(absl::Seconds(3), 50);
  EXPECT_EQ(meter.PerSecond(), 0);
  meter.Add(absl::Seconds(4), 60);
  EXPECT_EQ(meter.PerSecond(), 10);
  meter.Add(absl::Seconds(1), 70);
  EXPECT_EQ(meter.PerSecond(), 0);
}

}  // namespace
}  // namespace walferry
