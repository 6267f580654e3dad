#include "engine/server/stop_relay.h"

#include <utility>

#include "absl/time/time.h"

namespace walferry {
namespace {

// Between two looks.
constexpr absl::Duration kInterval = absl::Milliseconds(20);

}  // namespace

StopRelay::StopRelay(const Control& from, Control& to)
    : from_(from), to_(to), thread_([this] { Run(); }) {}

StopRelay::~StopRelay() { ended_.Raise(); }

void StopRelay::AskBeforeStop(std::function<bool()> may_stop) {
  absl::MutexLock lock(&mutex_);
  may_stop_ = std::move(may_stop);
}

bool StopRelay::MayStop() {
  absl::MutexLock lock(&mutex_);
  return !may_stop_ || may_stop_();
}

void StopRelay::Run() {
  while (true) {
    // Withdrawn where it was asked for.
    if (from_.cutover_requested()) {
      to_.RequestCutover();
    } else {
      to_.WithdrawCutover();
    }
    if (from_.stop_requested()) {
      if (MayStop()) {
        to_.RequestStop();
        return;
      }
      put_off_.store(true);
    }
    // A stop wakes it; one that is put off would do so for ever.
    const bool stops = from_.stop_requested();
    (stops ? ended_ : from_.interrupt()).Sleep(kInterval).IgnoreError();
    if (ended_.raised()) return;
  }
}

}  // namespace walferry
