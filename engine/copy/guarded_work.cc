#include "engine/copy/guarded_work.h"

#include <thread>
#include <vector>

namespace walferry {

absl::Status GuardedWork::Run(size_t workers, absl::Duration interval,
                              absl::FunctionRef<absl::Status()> work,
                              absl::FunctionRef<Progress()> progress) {
  {
    const absl::MutexLock lock(&mutex_);
    running_ = workers;
  }
  std::vector<std::jthread> threads;
  for (size_t worker = 0; worker < workers; ++worker) {
    threads.emplace_back([this, work] {
      if (absl::Status status = work(); !status.ok()) Fail(status);
      const absl::MutexLock lock(&mutex_);
      --running_;
    });
  }
  while (!WaitForEnd(interval)) {
    if (absl::Status guarded = watch_.Look(); !guarded.ok()) Fail(guarded);
    events_.OnEvent(progress());
  }
  threads.clear();
  events_.OnEvent(progress());
  const absl::MutexLock lock(&mutex_);
  return failure_;
}

bool GuardedWork::failed() const {
  const absl::MutexLock lock(&mutex_);
  return !failure_.ok();
}

void GuardedWork::Fail(const absl::Status& failure) {
  const absl::MutexLock lock(&mutex_);
  if (failure_.ok()) failure_ = failure;
}

bool GuardedWork::WaitForEnd(absl::Duration wait) {
  const absl::MutexLock lock(&mutex_);
  return mutex_.AwaitWithTimeout(
      absl::Condition(
          +[](GuardedWork* work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(work->mutex_) {
            return work->running_ == 0;
          },
          this),
      wait);
}

}  // namespace walferry
