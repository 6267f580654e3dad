#include "engine/server/shared_turns.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

TEST(SharedTurns, LetSoManyInAndTheOthersWhenOneLeaves) {
  SharedTurns turns(2, 1, 3);
  const Interrupt interrupt;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> done = 0;
  absl::Notification leave;
  std::vector<std::jthread> threads;
  for (int worker = 0; worker < 5; ++worker) {
    threads.emplace_back([&] {
      const auto turn = Turn::Take(&turns, Work::kRead, interrupt);
      EXPECT_OK(turn);
      const int now = ++inside;
      for (int seen = most;
           seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      leave.WaitForNotification();
      --inside;
      ++done;
    });
  }
  EXPECT_TRUE(WaitUntil([&] { return inside == 2; }));
  // The other side has its own.
  EXPECT_OK(Turn::Take(&turns, Work::kBuild, interrupt));
  EXPECT_OK(Turn::Take(&turns, Work::kBuild, interrupt));
  leave.Notify();
  threads.clear();
  EXPECT_EQ(done, 5);
  EXPECT_EQ(most, 2);
}

TEST(SharedTurns, WhoIsToldToStopWaitsNoLongerAndLetsTheNextPass) {
  SharedTurns turns(1, 1, 1);
  Interrupt stop;
  const Interrupt never;
  auto first = std::make_unique<absl::StatusOr<Turn>>(
      Turn::Take(&turns, Work::kRead, never));
  std::atomic<bool> stopped = false;
  std::jthread second([&] {
    EXPECT_THAT(Turn::Take(&turns, Work::kRead, stop).status(),
                StatusIs(absl::StatusCode::kCancelled,
                         "stopped while waiting for its turn"));
    stopped = true;
  });
  stop.Raise();
  EXPECT_TRUE(WaitUntil([&] { return stopped.load(); }));
  std::atomic<bool> passed = false;
  std::jthread third([&] {
    EXPECT_OK(Turn::Take(&turns, Work::kRead, never));
    passed = true;
  });
  EXPECT_FALSE(passed);
  first.reset();
  EXPECT_TRUE(WaitUntil([&] { return passed.load(); }));
}

TEST(Turn, IsTakenAtOnceByWhoIsAlone) {
  EXPECT_OK(Turn::Take(nullptr, Work::kRead, Interrupt()));
}

}  // namespace
}  // namespace walferry
