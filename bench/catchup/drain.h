#ifndef BENCH_CATCHUP_DRAIN_H_
#define BENCH_CATCHUP_DRAIN_H_

// The floor of every catch-up: how fast a walsender can send, to a client that
// does nothing.

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/catchup/stream_options.h"
#include "protocol/lsn.h"

namespace walferry {

struct DrainOptions {
  std::string conninfo;  // A URI of a server on this machine.
  std::string slot;
  std::string publication;
  Lsn end;
  StreamOptions stream;
  // Reading less often lets the walsender send in larger pieces; 1 ms is the
  // best that was measured.
  absl::Duration nap = absl::Milliseconds(1);
};

struct DrainResult {
  absl::Duration elapsed;  // From START_REPLICATION on.
  absl::Duration walsender_cpu;
  int64_t frames = 0;
  int64_t bytes = 0;  // Of the frames, without the headers of CopyData.
};

// Receives a slot's stream up to `end` and drops it: raw reads from the socket
// every `nap`, frames counted, no answers but to keepalives that ask. libpq
// connects and sends the command, and reads nothing after that. The slot keeps
// its position.
absl::StatusOr<DrainResult> Drain(const DrainOptions& options);

}  // namespace walferry

#endif  // BENCH_CATCHUP_DRAIN_H_
