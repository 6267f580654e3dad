#ifndef ENGINE_CUTOVER_H_
#define ENGINE_CUTOVER_H_

// The cutover: the source is still, the target gets all of it, and that is
// proved before it is called done.

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/follower.h"
#include "engine/options.h"
#include "engine/stream_run.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct CutoverSettings {
  FreezeMode freeze = FreezeMode::kNone;
  // Without a freeze: for how long no write may be seen, before the source
  // counts as still.
  absl::Duration quiet_for = absl::Milliseconds(100);
  // How long to wait for that; infinite: as long as it takes.
  absl::Duration timeout = absl::Minutes(5);
};

// What is done to the target while the source is still: sequences, views, what
// else the stream does not carry. May be called again when writes came in
// between.
using FinishTarget = std::function<absl::Status()>;

// kDeadlineExceeded: the source kept being written; nothing has changed, the
// stream still runs, and a freeze has been taken back. On success the stream
// still runs too, and holds every transaction that the source has; the result
// is the time from the freeze (the last moment at which a write may have
// happened) until `finish` was done and no write had come in meanwhile.
absl::StatusOr<absl::Duration> CutOver(const CutoverSettings& settings,
                                       Follower& follower, StreamRun& run,
                                       PgConnection& source,
                                       const FinishTarget& finish);

}  // namespace walferry

#endif  // ENGINE_CUTOVER_H_
