#include "tools/signal_watch.h"

#include <atomic>
#include <thread>

#include "absl/time/clock.h"
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

TEST(SignalWatch, StopsWhenTheTerminalHangsUp) {
  Control control;
  SignalWatch watch(control, InterruptMeaning::kCutover);
  raise(SIGHUP);
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
  const auto time_of_wait = [&](absl::Duration patience) {
    const absl::Time start = absl::Now();
    watch.Wait(patience);
    return absl::Now() - start;
  };
  raise(SIGINT);
  // A wait that nothing wakes lasts a minute at least.
  EXPECT_LT(time_of_wait(absl::InfiniteDuration()), absl::Minutes(1));
  EXPECT_TRUE(control.cutover_requested());
  // Each wakes one wait only.
  EXPECT_GT(time_of_wait(absl::Milliseconds(20)), absl::Milliseconds(15));
  std::atomic<bool> woken = false;
  std::thread waker([&] {
    woken = true;
    watch.Wake();
  });
  EXPECT_LT(time_of_wait(absl::InfiniteDuration()), absl::Minutes(1));
  EXPECT_TRUE(woken);
  waker.join();
  EXPECT_GT(time_of_wait(absl::Milliseconds(20)), absl::Milliseconds(15));
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

// As nohup starts a command.
TEST(SignalWatch, LeavesAnIgnoredSighupIgnored) {
  struct sigaction before, after, ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGHUP, &ignore, &before);
  {
    Control control;
    const SignalWatch watch(control, InterruptMeaning::kCutover);
    raise(SIGHUP);
    EXPECT_FALSE(control.stop_requested());
  }
  sigaction(SIGHUP, &before, &after);
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
