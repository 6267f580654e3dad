#ifndef TESTS_TESTING_EVENT_HOOK_H_
#define TESTS_TESTING_EVENT_HOOK_H_

// Acts on a run's own threads at what it tells: no race between the two.

#include <functional>
#include <utility>
#include <variant>

#include "engine/event.h"

namespace walferry {

// Calls `act` at every event.
class EventHook : public EventSink {
 public:
  explicit EventHook(std::function<void(const Event&)> act)
      : act_(std::move(act)) {}

  void OnEvent(const Event& event) override { act_(event); }

 private:
  const std::function<void(const Event&)> act_;
};

// Calls `act` when the phase begins for the first time.
class AtPhase : public EventSink {
 public:
  AtPhase(Phase phase, std::function<void()> act)
      : phase_(phase), act_(std::move(act)) {}

  void OnEvent(const Event& event) override {
    const auto* started = std::get_if<PhaseStarted>(&event);
    if (started == nullptr || started->phase != phase_ || done_) return;
    done_ = true;
    act_();
  }

 private:
  const Phase phase_;
  const std::function<void()> act_;
  bool done_ = false;
};

}  // namespace walferry

#endif  // TESTS_TESTING_EVENT_HOOK_H_
