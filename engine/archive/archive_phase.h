#ifndef ENGINE_ARCHIVE_ARCHIVE_PHASE_H_
#define ENGINE_ARCHIVE_ARCHIVE_PHASE_H_

// One phase of work on an archive, as events tell it.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "protocol/status.h"

namespace walferry {

// Runs the work between the phase's two events; one that fails does not
// finish.
inline absl::Status InPhase(Phase phase, EventSink& events,
                            absl::FunctionRef<absl::Status()> work) {
  events.OnEvent(PhaseStarted{.phase = phase});
  const absl::Time started = absl::Now();
  RETURN_IF_ERROR(work());
  events.OnEvent(PhaseFinished{phase, absl::Now() - started});
  return absl::OkStatus();
}

// Tells about every second how many bytes are done.
class ByteProgress {
 public:
  // `bytes_total`: 0 if nobody knows.
  ByteProgress(Phase phase, EventSink& events, int64_t bytes_total)
      : phase_(phase), events_(events), bytes_total_(bytes_total) {}

  // Asks `bytes` if it is time.
  void Tell(absl::FunctionRef<int64_t()> bytes) {
    const absl::Time now = absl::Now();
    if (now < next_) return;
    next_ = now + absl::Seconds(1);
    events_.OnEvent(Progress{.phase = phase_,
                             .bytes = bytes(),
                             .bytes_total = bytes_total_,
                             .elapsed = now - started_,
                             .active = {}});
  }

 private:
  const Phase phase_;
  EventSink& events_;
  const int64_t bytes_total_;
  const absl::Time started_ = absl::Now();
  absl::Time next_ = started_;
};

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_ARCHIVE_PHASE_H_
