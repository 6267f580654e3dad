#ifndef ENGINE_STREAM_MEETING_H_
#define ENGINE_STREAM_MEETING_H_

// One state of the source and the same of the target, while the stream between
// them runs: where a comparison, or a repair, looks.
//
//   ASSIGN_OR_RETURN(const auto states, Meet(context, {}));
//   ... sessions import states->source_snapshot() and target_snapshot(), and
//   are equal but for what is wrong ...
//
// meeting_point.h has how the two are known to be the same one. The appliers
// stand for some milliseconds.

#include <functional>
#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/connect/connect.h"
#include "engine/stream/meeting_barrier.h"
#include "engine/stream/stream_run.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct MeetingContext {
  StreamRun& run;
  // What the run's thread asks the source with.
  PgConnection& source;
  const Connector& connector;
  // The run's heartbeat, and a short wait: called between two attempts. An
  // error ends the meeting.
  std::function<absl::Status()> turn;
};

// How long appliers stand for states that hold them, at most.
inline constexpr absl::Duration kAppliersStand = absl::Minutes(5);

struct MeetingOptions {
  // The appliers stand until the states are let go, ...
  bool holds_appliers = false;
  // ... but no longer; Check() tells then.
  absl::Duration hold_limit = kAppliersStand;
  // For snapshots are taken until one divides the stream.
  absl::Duration patience = absl::Seconds(5);
  // How long the appliers may take to come to where the source was.
  absl::Duration to_stand = absl::Seconds(5);
  // Nothing is waited for beyond it.
  absl::Time deadline = absl::InfiniteFuture();
};

// What a meeting is about, as it is told to others.
struct MetStates {
  // Names, for SET TRANSACTION SNAPSHOT.
  std::string source_snapshot;
  std::string target_snapshot;
  // Transactions whose commit record starts before it are in both, no others.
  Lsn position;
  // How long the stream was held up, at most: its reading thread stood still,
  // and then, at the barrier, its appliers. Of all attempts the longest.
  absl::Duration pause;
  absl::Time at;  // When the snapshots were taken.
};

// Holds both snapshots until destroyed, by a session on either side. May be
// moved to another thread, and outlive the stream. Thread-safe.
class HeldStates {
 public:
  // Of sessions that are inside the snapshots, and have exported them.
  // `barrier`: where appliers stand for it; may be null.
  HeldStates(MetStates met, PgConnection source, PgConnection target,
             std::shared_ptr<MeetingBarrier> barrier = nullptr);
  ~HeldStates();  // Also lets the appliers go on.

  const MetStates& met() const { return met_; }

  // If both states are held now, they have been all along. kUnavailable: a
  // session was lost; kDeadlineExceeded: the appliers were to be held, and have
  // gone on.
  absl::Status Check();

  // Appliers stand for these states, and will until they are let go.
  bool holds_appliers() const;

 private:
  const MetStates met_;
  absl::Mutex mutex_;
  PgConnection source_ ABSL_GUARDED_BY(mutex_);
  PgConnection target_ ABSL_GUARDED_BY(mutex_);
  const std::shared_ptr<MeetingBarrier> barrier_;
};

// By the thread that watches over the stream, between two of its turns. The
// stream is not ended by any error. kAborted, kDeadlineExceeded: not now, ask
// again (why); kUnavailable: a session or the stream was lost.
absl::StatusOr<std::unique_ptr<HeldStates>> Meet(const MeetingContext& context,
                                                 const MeetingOptions& options);

}  // namespace walferry

#endif  // ENGINE_STREAM_MEETING_H_
