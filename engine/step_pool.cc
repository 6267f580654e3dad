#include "engine/step_pool.h"

#include <map>
#include <optional>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace walferry {
namespace {

// Thread-safe: what the workers share.
class Pool {
 public:
  Pool(const std::vector<SchemaStep>& steps, StepQueue queue)
      : steps_(steps),
        total_(static_cast<int64_t>(queue.waiting())),
        queue_(std::move(queue)) {}

  // A worker's thread.
  void Work(StepWorker& worker) {
    while (const std::optional<size_t> place = Take()) {
      const absl::Status status = worker.Run(steps_[*place]);
      Ended(*place, status);
    }
    const absl::MutexLock lock(&mutex_);
    ++idle_workers_;
    changed_.SignalAll();
  }

  // Returns when that many workers have nothing left to do.
  void Watch(size_t workers, const StepPoolOptions& options) {
    bool failure_told = false;
    while (true) {
      SchemaProgress progress;
      absl::Status failure;
      bool idle;
      {
        const absl::MutexLock lock(&mutex_);
        idle = idle_workers_ == workers;
        progress = Progress();
        if (!running_.empty() && !failure_told) failure = status_;
      }
      if (options.on_progress) options.on_progress(progress);
      if (!failure.ok()) {
        failure_told = true;
        if (options.on_failure) options.on_failure(failure);
      }
      if (idle) return;
      const absl::MutexLock lock(&mutex_);
      if (version_ == seen_version_ && idle_workers_ < workers) {
        changed_.WaitWithTimeout(&mutex_, options.progress_interval);
      }
      seen_version_ = version_;
    }
  }

  StepPoolResult Result() {
    const absl::MutexLock lock(&mutex_);
    return {status_, finished_};
  }

 private:
  std::optional<size_t> Take() {
    const absl::MutexLock lock(&mutex_);
    while (status_.ok() && queue_.waiting() > 0) {
      if (const std::optional<size_t> place = queue_.Take()) {
        running_[*place] = absl::Now();
        Changed();
        return place;
      }
      if (running_.empty()) {
        status_ = absl::InternalError("steps of a stage wait for one another");
        Changed();
        break;
      }
      changed_.Wait(&mutex_);
    }
    return std::nullopt;
  }

  void Ended(size_t place, const absl::Status& status) {
    const absl::MutexLock lock(&mutex_);
    running_.erase(place);
    if (status.ok()) {
      queue_.Finish(place);
      finished_.push_back(place);
    } else if (status_.ok()) {
      status_ = status;
    }
    Changed();
  }

  void Changed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    ++version_;
    changed_.SignalAll();
  }

  SchemaProgress Progress() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    SchemaProgress progress{.done = static_cast<int64_t>(finished_.size()),
                            .total = total_};
    const absl::Time now = absl::Now();
    for (const auto& [place, started] : running_) {
      progress.active.push_back(
          {.name = steps_[place].display, .elapsed = now - started});
    }
    return progress;
  }

  const std::vector<SchemaStep>& steps_;
  const int64_t total_;
  absl::Mutex mutex_;
  absl::CondVar changed_;
  StepQueue queue_ ABSL_GUARDED_BY(mutex_);
  std::map<size_t, absl::Time> running_ ABSL_GUARDED_BY(mutex_);
  std::vector<size_t> finished_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  size_t idle_workers_ ABSL_GUARDED_BY(mutex_) = 0;
  // Of what Watch() tells: counts the changes.
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t seen_version_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

StepPoolResult RunSteps(const std::vector<SchemaStep>& steps, StepQueue queue,
                        std::vector<std::unique_ptr<StepWorker>> workers,
                        const StepPoolOptions& options) {
  Pool pool(steps, std::move(queue));
  std::vector<std::jthread> threads;
  for (const std::unique_ptr<StepWorker>& worker : workers) {
    threads.emplace_back([&pool, &worker] { pool.Work(*worker); });
  }
  pool.Watch(workers.size(), options);
  threads.clear();
  return pool.Result();
}

}  // namespace walferry
