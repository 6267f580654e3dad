#include "tests/testing/wait_until.h"

#include "absl/time/clock.h"

namespace walferry {

bool WaitUntil(absl::FunctionRef<bool()> state_reached,
               absl::Duration patience) {
  const absl::Time deadline = absl::Now() + patience;
  while (!state_reached()) {
    if (absl::Now() >= deadline) return false;
    absl::SleepFor(absl::Milliseconds(3));
  }
  return true;
}

}  // namespace walferry
