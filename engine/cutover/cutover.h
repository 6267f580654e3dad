#ifndef ENGINE_CUTOVER_CUTOVER_H_
#define ENGINE_CUTOVER_CUTOVER_H_

// The cutover: the source is still, the target gets all of it, and that is
// proved before it is called done.

#include <functional>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/stream/follower.h"
#include "engine/stream/stream_run.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct CutoverSettings {
  // For how long no write may be seen, before the source counts as still.
  absl::Duration quiet_for = absl::Milliseconds(100);
  // How long to wait for that; infinite: as long as it takes.
  absl::Duration timeout = absl::Minutes(5);
  // For how much longer others are waited for, who have the same time and know
  // better what they lack.
  absl::Duration grace_for_others = absl::Seconds(2);
  // Between two looks at a source that is being written, at most.
  absl::Duration longest_pause = absl::Milliseconds(100);
};

struct CutoverSteps {
  // Called again and again while the source is not still yet.
  std::function<absl::Status()> watch;
  // What is done to the target while the source is still: sequences, views,
  // what else the stream does not carry. Called again when writes came in
  // between.
  std::function<absl::Status()> finish;
  // After the last change: whether what `finish` has read of the source, and
  // no change tells of, is still so. False: `finish` is called once more.
  std::function<absl::StatusOr<bool>()> unchanged;
  // Waits for others that cut over together with this one, until `deadline`;
  // see JointCutover. `holds` is asked meanwhile whether a yes is still one.
  // Empty: there are none.
  std::function<absl::StatusOr<bool>(
      JointStep step, bool yes, absl::Time deadline,
      const std::function<absl::StatusOr<bool>()>& holds)>
      agree;
  // With `agree`: the source was written when all had agreed already.
  std::function<void()> written_late;
};

// kDeadlineExceeded: the source kept being written; the stream still runs. On
// success it still runs too, and holds every transaction that the source has;
// the result is the last moment at which a write may have happened.
absl::StatusOr<absl::Time> CutOver(const CutoverSettings& settings,
                                   Follower& follower, StreamRun& run,
                                   PgConnection& source,
                                   const CutoverSteps& steps);

}  // namespace walferry

#endif  // ENGINE_CUTOVER_CUTOVER_H_
