#ifndef ENGINE_STREAM_FOLLOWER_H_
#define ENGINE_STREAM_FOLLOWER_H_

// Watches over a running stream: its heartbeat, the moment it has caught up,
// and the wait for a position.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "apply/applier.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/stream/stream_run.h"
#include "engine/stream/write_rhythm.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What the attempts of a run have in common: figures and news are of the run.
struct FollowTotals {
  ApplyCounts counts;      // Of the attempts that have ended.
  bool caught_up = false;  // It has been told.
};

// Used by the thread that runs the migration. What it is given outlives it.
class Follower {
 public:
  struct Context {
    StreamRun& run;
    // For the source's position, and for nothing else meanwhile.
    PgConnection& source;
    Ledger& ledger;
    const Control& control;
    EventSink& events;
    const StreamOptions& options;
    FollowTotals& totals;
    std::string slot;  // For the report of a conflict.
  };
  explicit Follower(Context context) : context_(context) {}

  // One short turn (some 20 ms) of waiting, with a heartbeat if one is due.
  // The stream's error once it has one; kCancelled if told to stop.
  absl::Status Turn();

  // Turns until everything that committed before `lsn` is applied.
  // kDeadlineExceeded if that is not so by `deadline`.
  absl::Status DrainTo(Lsn lsn, absl::Time deadline);

  // Shown with every heartbeat.
  void SetPhase(Phase phase) { phase_ = phase; }
  void SetWaitingFor(std::string what) { waiting_for_ = std::move(what); }

  // After StreamRun::Stop(), once: what it has applied belongs to the totals.
  void AddToTotals();

  // How much longer the source must be silent before it seems to have stopped.
  absl::Duration SilenceNeeded() const {
    return rhythm_.SilenceNeeded(absl::Now());
  }
  // The lag was under the threshold at some heartbeat of this stream.
  bool caught_up() const { return caught_up_; }
  // It was at the last heartbeat.
  bool is_near() const { return is_near_; }
  // The applied position has moved since this began.
  bool progressed() const { return context_.run.state().applied() > start_; }

 private:
  absl::Status Heartbeat();
  absl::Status CheckStream();

  Context context_;
  Phase phase_ = Phase::kFollow;
  std::string waiting_for_;
  Lsn start_ = context_.run.state().applied();
  absl::Time next_heartbeat_ = absl::InfinitePast();
  bool caught_up_ = false;
  bool is_near_ = false;
  WriteRhythm rhythm_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_FOLLOWER_H_
