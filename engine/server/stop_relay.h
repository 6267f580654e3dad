#ifndef ENGINE_SERVER_STOP_RELAY_H_
#define ENGINE_SERVER_STOP_RELAY_H_

// A stop that must not come between databases that cut over together: it is
// heard at once, and passed on when it splits nothing.

#include <atomic>
#include <functional>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/control.h"

namespace walferry {

class StopRelay {
 public:
  // Passes on what `from` is told to `to`, by a thread of its own. Both outlive
  // it.
  StopRelay(const Control& from, Control& to);
  ~StopRelay();

  // `may_stop` is asked again and again before a stop is passed on, by that
  // thread, and outlives this.
  void AskBeforeStop(std::function<bool()> may_stop);

  // There is one that has not been passed on yet.
  bool stop_is_put_off() const {
    return from_.stop_requested() && !to_.stop_requested() && put_off_.load();
  }

 private:
  void Run();
  bool MayStop();

  const Control& from_;
  Control& to_;
  Interrupt ended_;
  std::atomic<bool> put_off_ = false;
  absl::Mutex mutex_;
  std::function<bool()> may_stop_ ABSL_GUARDED_BY(mutex_);
  std::jthread thread_;  // Last: it uses the others.
};

}  // namespace walferry

#endif  // ENGINE_SERVER_STOP_RELAY_H_
