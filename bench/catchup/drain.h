#ifndef BENCH_CATCHUP_DRAIN_H_
#define BENCH_CATCHUP_DRAIN_H_

// The floor of every catch-up: how fast a walsender can send, to a client that
// does nothing.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"

namespace walferry {

struct DrainResult {
  absl::Duration elapsed;
  int64_t frames = 0;
  int64_t bytes = 0;
};

// Receives a slot's stream up to `end` and drops it: raw reads from libpq's
// socket every `nap`, frames counted, no answers but to keepalives that ask.
// Reading less often lets the walsender send in larger pieces; 1 ms is the
// best that was measured. The slot keeps its position.
absl::StatusOr<DrainResult> Drain(const std::string& conninfo,
                                  const std::string& slot,
                                  const std::string& publication, Lsn end,
                                  absl::Duration nap = absl::Milliseconds(1));

}  // namespace walferry

#endif  // BENCH_CATCHUP_DRAIN_H_
