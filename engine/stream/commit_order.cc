#include "engine/stream/commit_order.h"

namespace walferry {

uint64_t CommitOrder::Draw() {
  absl::MutexLock lock(&mutex_);
  return ++drawn_;
}

CommitOrder::Turn CommitOrder::Await(uint64_t number,
                                     absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto decided = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || called_ == number;
  };
  if (!mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline)) {
    return Turn::kNotYet;
  }
  return closed_ ? Turn::kNever : Turn::kMine;
}

void CommitOrder::Pass() {
  absl::MutexLock lock(&mutex_);
  ++called_;
}

void CommitOrder::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace walferry
