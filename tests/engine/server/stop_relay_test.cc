#include "engine/server/stop_relay.h"

#include <atomic>

#include "gtest/gtest.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

TEST(StopRelay, PutsAStopOffUntilItSplitsNothing) {
  Control from;
  Control to;
  std::atomic<bool> may_stop = false;
  StopRelay relay(from, to);
  relay.AskBeforeStop([&] { return may_stop.load(); });
  from.RequestStop();
  EXPECT_TRUE(WaitUntil([&] { return relay.stop_is_put_off(); }));
  EXPECT_FALSE(to.stop_requested());
  may_stop = true;
  EXPECT_TRUE(WaitUntil([&] { return to.stop_requested(); }));
  EXPECT_FALSE(relay.stop_is_put_off());
}

TEST(StopRelay, PassesOnThatACutoverIsAskedForAndWithdrawn) {
  Control from;
  Control to;
  StopRelay relay(from, to);
  from.RequestCutover();
  EXPECT_TRUE(WaitUntil([&] { return to.cutover_requested(); }));
  from.WithdrawCutover();
  EXPECT_TRUE(WaitUntil([&] { return !to.cutover_requested(); }));
}

}  // namespace
}  // namespace walferry
