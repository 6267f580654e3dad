#include "engine/stream/meeting_barrier.h"

#include "absl/time/clock.h"

namespace walferry {

void MeetingBarrier::Stand(Lsn applied) {
  const absl::MutexLock lock(&mutex_);
  if (lifted_) return;
  applied_ = applied;
  since_ = absl::Now();
  overdue_ = !mutex_.AwaitWithTimeout(absl::Condition(&lifted_), limit_);
  lifted_ = true;
  until_ = absl::Now();
}

void MeetingBarrier::Lift() {
  const absl::MutexLock lock(&mutex_);
  lifted_ = true;
}

std::optional<Lsn> MeetingBarrier::AwaitStanding(absl::Time deadline) const {
  const absl::MutexLock lock(&mutex_);
  const auto decided = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return lifted_ || applied_.has_value();
  };
  mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline);
  return lifted_ ? std::nullopt : applied_;
}

bool MeetingBarrier::lifted() const {
  const absl::MutexLock lock(&mutex_);
  return lifted_;
}

bool MeetingBarrier::overdue() const {
  const absl::MutexLock lock(&mutex_);
  return overdue_;
}

absl::Duration MeetingBarrier::stood() const {
  const absl::MutexLock lock(&mutex_);
  if (!applied_) return absl::ZeroDuration();
  return until_.value_or(absl::Now()) - since_;
}

}  // namespace walferry
