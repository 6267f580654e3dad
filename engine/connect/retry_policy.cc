#include "engine/connect/retry_policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kFirstDelay = absl::Milliseconds(200);
constexpr absl::Duration kLongestDelay = absl::Seconds(10);

}  // namespace

bool IsRetriable(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

bool IsResumable(const absl::Status& status) {
  return absl::IsCancelled(status) || IsRetriable(status);
}

absl::Status RetryPolicy::WaitAfter(const absl::Status& error) {
  if (interrupt_.raised()) return absl::CancelledError("stopped on request");
  if (!IsRetriable(error)) return error;
  const absl::Time now = absl::Now();
  if (failing_since_ == absl::InfiniteFuture()) {
    failing_since_ = now;
    delay_ = kFirstDelay;
  }
  if (now - failing_since_ >= retry_for_) {
    return Annotate(error,
                    absl::StrCat("given up after ",
                                 absl::FormatDuration(absl::Trunc(
                                     now - failing_since_, absl::Seconds(1)))));
  }
  events_.OnEvent(
      Notice{.level = Notice::Level::kWarning,
             .text = absl::StrCat(error.message(), "; trying again in ",
                                  absl::FormatDuration(delay_))});
  RETURN_IF_ERROR(interrupt_.Sleep(delay_));
  delay_ = std::min(delay_ * 2, kLongestDelay);
  return absl::OkStatus();
}

}  // namespace walferry
