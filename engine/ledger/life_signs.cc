#include "engine/ledger/life_signs.h"

#include <variant>

#include "absl/time/clock.h"

namespace walferry {

void LifeSigns::OnEvent(const Event& event) {
  events_.OnEvent(event);
  const absl::Time now = absl::Now();
  if (!std::holds_alternative<Progress>(event) || now < next_) return;
  next_ = now + interval_;
  // A ledger that is lost ends the phase at its next statement.
  ledger_.Beat().IgnoreError();
}

}  // namespace walferry
