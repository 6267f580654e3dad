#include "engine/schema/step_pool.h"

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
    Changed();
  }

  // Returns when that many workers have nothing left to do.
  void Watch(size_t workers, const StepPoolOptions& options) {
    bool failure_told = false;
    for (Sight sight = See(); true; sight = SeeLater(sight, options)) {
      if (options.on_progress) options.on_progress(sight.progress);
      if (!sight.failure.ok() && !failure_told) {
        failure_told = true;
        if (options.on_failure) options.on_failure(sight.failure);
      }
      if (sight.idle_workers == workers) return;
    }
  }

  StepPoolResult Result() {
    const absl::MutexLock lock(&mutex_);
    return {status_, finished_};
  }

 private:
  // What Watch() tells at one moment.
  struct Sight {
    SchemaProgress progress;
    absl::Status failure;  // Only while others run.
    size_t idle_workers = 0;
    int64_t changes = 0;
  };

  Sight See() {
    const absl::MutexLock lock(&mutex_);
    return {.progress = Progress(),
            .failure = running_.empty() ? absl::OkStatus() : status_,
            .idle_workers = idle_workers_,
            .changes = changes_};
  }

  Sight SeeLater(const Sight& last, const StepPoolOptions& options) {
    const absl::Time until = absl::Now() + options.progress_interval;
    {
      const absl::MutexLock lock(&mutex_);
      while (changes_ == last.changes &&
             !changed_.WaitWithDeadline(&mutex_, until)) {
      }
    }
    return See();
  }

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
    ++changes_;
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
  int64_t changes_ ABSL_GUARDED_BY(mutex_) = 0;
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
