#include "protocol/pg_interrupt.h"

#include <poll.h>
#include <signal.h>

#include <thread>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

bool Readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

TEST(Interrupt, IsReadableOnceRaisedAndStaysSo) {
  Interrupt interrupt;
  EXPECT_FALSE(interrupt.raised());
  EXPECT_FALSE(Readable(interrupt.fd()));
  interrupt.Raise();
  interrupt.Raise();
  EXPECT_TRUE(interrupt.raised());
  EXPECT_TRUE(Readable(interrupt.fd()));
  EXPECT_TRUE(Readable(interrupt.fd()));
}

TEST(Interrupt, SleepLastsItsTimeOtherwise) {
  Interrupt interrupt;
  const absl::Time start = absl::Now();
  EXPECT_OK(interrupt.Sleep(absl::Milliseconds(20)));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(20));
  EXPECT_OK(interrupt.Sleep(absl::ZeroDuration()));
}

TEST(Interrupt, EndsASleepAtOnce) {
  Interrupt interrupt;
  std::thread raiser([&] { interrupt.Raise(); });
  EXPECT_THAT(interrupt.Sleep(absl::InfiniteDuration()),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  EXPECT_THAT(interrupt.Sleep(absl::ZeroDuration()),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
}

TEST(Interrupt, IsRaisedWithItsParentAndNotTheOtherWayRound) {
  Interrupt parent;
  Interrupt raised_itself(&parent);
  raised_itself.Raise();
  EXPECT_FALSE(parent.raised());
  Interrupt child(&parent);
  std::thread raiser([&] { parent.Raise(); });
  EXPECT_THAT(child.Sleep(absl::InfiniteDuration()),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  EXPECT_TRUE(child.raised());
  raiser.join();
}

Interrupt* signalled = nullptr;

TEST(Interrupt, CanBeRaisedByASignalHandler) {
  Interrupt interrupt;
  signalled = &interrupt;
  struct sigaction action {};
  action.sa_handler = [](int) { signalled->Raise(); };
  struct sigaction former {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &former), 0);
  raise(SIGUSR1);
  sigaction(SIGUSR1, &former, nullptr);
  EXPECT_THAT(interrupt.Sleep(absl::InfiniteDuration()),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
}

}  // namespace
}  // namespace walferry
