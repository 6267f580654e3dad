#ifndef TESTS_TESTING_EVENT_RECORDER_H_
#define TESTS_TESTING_EVENT_RECORDER_H_

// Keeps the events of a run, and lets a test wait for one.

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/event.h"
#include "tests/testing/wait_until.h"

namespace walferry {

// Thread-safe.
class EventRecorder : public EventSink {
 public:
  void OnEvent(const Event& event) override {
    absl::MutexLock lock(&mutex_);
    events_.push_back(event);
  }

  // Every event of the type so far.
  template <typename T>
  std::vector<T> All() const {
    absl::MutexLock lock(&mutex_);
    std::vector<T> found;
    for (const Event& event : events_) {
      if (const T* one = std::get_if<T>(&event)) found.push_back(*one);
    }
    return found;
  }

  // Waits until an event of the type satisfies `wanted`. False: none came.
  template <typename T>
  bool WaitFor(const std::function<bool(const T&)>& wanted = [](const T&) {
    return true;
  }) const {
    return WaitUntil([&] {
      for (const T& event : All<T>()) {
        if (wanted(event)) return true;
      }
      return false;
    });
  }

  bool WaitForPhase(Phase phase) const {
    return WaitFor<PhaseStarted>(
        [phase](const PhaseStarted& event) { return event.phase == phase; });
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // TESTS_TESTING_EVENT_RECORDER_H_
