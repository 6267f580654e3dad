#include "engine/connect/retry_policy.h"

#include "gtest/gtest.h"
#include "tests/testing/event_recorder.h"

namespace walferry {
namespace {

constexpr absl::StatusCode kWaitedFor[] = {
    absl::StatusCode::kUnavailable, absl::StatusCode::kAborted,
    absl::StatusCode::kDeadlineExceeded, absl::StatusCode::kResourceExhausted};

TEST(RetryPolicy, WhatIsGivenUpAfterWaitingIsResumable) {
  for (const absl::StatusCode code : kWaitedFor) {
    const Interrupt interrupt;
    EventRecorder events;
    RetryPolicy retry(absl::ZeroDuration(), interrupt, events);
    const absl::Status status = retry.WaitAfter(absl::Status(code, "away"));
    EXPECT_EQ(status, absl::Status(code, "given up after 0: away"));
    EXPECT_TRUE(IsResumable(status)) << status;
  }
}

TEST(RetryPolicy, ARequestToStopIsResumable) {
  Interrupt interrupt;
  interrupt.Raise();
  EventRecorder events;
  RetryPolicy retry(absl::Hours(1), interrupt, events);
  const absl::Status status = retry.WaitAfter(absl::UnavailableError("away"));
  EXPECT_EQ(status, absl::CancelledError("stopped on request"));
  EXPECT_TRUE(IsResumable(status));
}

TEST(RetryPolicy, WhatIsForAPersonIsNeitherTriedAgainNorResumable) {
  for (const absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument,
        absl::StatusCode::kFailedPrecondition,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kNotFound,
        absl::StatusCode::kAlreadyExists, absl::StatusCode::kDataLoss,
        absl::StatusCode::kInternal}) {
    const Interrupt interrupt;
    EventRecorder events;
    RetryPolicy retry(absl::Hours(1), interrupt, events);
    const absl::Status error(code, "no");
    EXPECT_EQ(retry.WaitAfter(error), error);
    EXPECT_TRUE(events.All<Notice>().empty());
    EXPECT_FALSE(IsResumable(error)) << error;
  }
}

}  // namespace
}  // namespace walferry
