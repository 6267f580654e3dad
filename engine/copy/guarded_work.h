#ifndef ENGINE_COPY_GUARDED_WORK_H_
#define ENGINE_COPY_GUARDED_WORK_H_

// Threads that read under one snapshot, and the caller, who looks after it.

#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/copy/guard_watch.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

class GuardedWork {
 public:
  // Both outlive it; `name_of` as in GuardWatch.
  GuardedWork(SourceSnapshot& snapshot,
              std::function<std::string(uint32_t oid)> name_of,
              EventSink& events)
      : watch_(snapshot, kWaiterPatience, std::move(name_of), events),
        events_(events) {}

  // Runs `work` on that many threads at once and waits for all of them.
  // Meanwhile the calling thread looks after the guard and sends what
  // `progress` tells, every `interval` and at the end. Returns the first error,
  // the guard's included.
  absl::Status Run(size_t workers, absl::Duration interval,
                   absl::FunctionRef<absl::Status()> work,
                   absl::FunctionRef<Progress()> progress);

  // For the workers: whether there is an error, so that nothing new is begun.
  bool failed() const;

 private:
  void Fail(const absl::Status& failure);
  bool WaitForEnd(absl::Duration wait);

  GuardWatch watch_;
  EventSink& events_;
  mutable absl::Mutex mutex_;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_COPY_GUARDED_WORK_H_
