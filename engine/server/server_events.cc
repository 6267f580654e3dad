#include "engine/server/server_events.h"

#include <variant>

#include "absl/algorithm/container.h"

namespace walferry {

void DatabaseEvents::OnEvent(const Event& event) {
  if (const auto* started = std::get_if<PhaseStarted>(&event)) {
    phase_ = started->phase;
  } else if (const auto* finished = std::get_if<PhaseFinished>(&event)) {
    // Once more, if an attempt was repeated.
    const auto known = absl::c_find_if(times_, [&](const PhaseTime& time) {
      return time.phase == finished->phase;
    });
    if (known == times_.end()) {
      times_.push_back(
          {.phase = finished->phase, .duration = finished->duration});
    } else {
      known->duration += finished->duration;
    }
  } else if (std::holds_alternative<Usable>(event)) {
    usable_ = true;
  }
  events_.OnEvent(database_, event);
}

}  // namespace walferry
