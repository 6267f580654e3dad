#include "tools/signal_watch.h"

#include <thread>

#include "gtest/gtest.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

TEST(SignalWatch, StopsOnSigterm) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kCutover);
  raise(SIGTERM);
  EXPECT_TRUE(control.stop_requested());
  EXPECT_FALSE(control.cutover_requested());
}

TEST(SignalWatch, CutsOverOnTheFirstSigintAndStopsOnTheSecond) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kCutover);
  raise(SIGINT);
  EXPECT_TRUE(control.cutover_requested());
  EXPECT_FALSE(control.stop_requested());
  raise(SIGINT);
  EXPECT_TRUE(control.stop_requested());
}

TEST(SignalWatch, CutsOverAgainOnceACutoverWasGivenUp) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kCutover);
  raise(SIGINT);
  control.WithdrawCutover();
  raise(SIGINT);
  EXPECT_TRUE(control.cutover_requested());
  EXPECT_FALSE(control.stop_requested());
}

TEST(SignalWatch, StopsOnSigintWhereThereIsNoCutover) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kStop);
  raise(SIGINT);
  EXPECT_TRUE(control.stop_requested());
}

TEST(SignalWatchDeathTest, EndsTheProcessOnASigintAfterAStop) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        Control control;
        SignalWatch watch(control, InterruptMeaning::kStop);
        raise(SIGINT);
        raise(SIGINT);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST(SignalWatch, WakesForASignalAndForWake) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kCutover);
  raise(SIGINT);
  watch.Wait(absl::InfiniteDuration());  // Returns, or the test times out.
  std::thread waker([&] { watch.Wake(); });
  watch.Wait(absl::InfiniteDuration());
  waker.join();
}

// As a shell starts a script's background jobs.
TEST(SignalWatch, LeavesAnIgnoredSigintIgnored) {
  struct sigaction before, after, ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGINT, &ignore, &before);
  {
    Control control;
    const SignalWatch watch(control, InterruptMeaning::kCutover);
    raise(SIGINT);
    EXPECT_FALSE(control.cutover_requested());
    raise(SIGTERM);
    EXPECT_TRUE(control.stop_requested());
  }
  sigaction(SIGINT, &before, &after);
  EXPECT_EQ(after.sa_handler, SIG_IGN);
}

TEST(SignalWatch, RestoresTheHandlersBefore) {
  struct sigaction before, after;
  sigaction(SIGINT, nullptr, &before);
  {
    Control control;
    const SignalWatch watch(control, InterruptMeaning::kStop);
    sigaction(SIGINT, nullptr, &after);
    EXPECT_NE(before.sa_handler, after.sa_handler);
  }
  sigaction(SIGINT, nullptr, &after);
  EXPECT_EQ(before.sa_handler, after.sa_handler);
}

}  // namespace
}  // namespace walferry
