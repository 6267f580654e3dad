#ifndef ENGINE_STREAM_STREAM_RUN_H_
#define ENGINE_STREAM_STREAM_RUN_H_

// A running stream: source's slot to target's tables, on a reading thread and
// one or more applying ones.

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "apply/applier.h"
#include "apply/apply_session.h"
#include "apply/keys_in_flight.h"
#include "engine/connect/connect.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/stream/apply_pool.h"
#include "engine/stream/batch_builder.h"
#include "engine/stream/batch_queue.h"
#include "engine/stream/meeting_point.h"
#include "engine/stream/stream_reader.h"
#include "engine/stream/stream_state.h"
#include "protocol/replication_stream.h"

namespace walferry {

struct StreamRunOptions {
  Connector connector;
  std::string slot;
  std::vector<std::string> publications;
  // What the target holds already if no stream has been there yet; 0/0: what
  // the slot has confirmed.
  Lsn start;
  // What both sessions speak: the source's server_encoding.
  std::string client_encoding;
  TriggerGuard trigger_guard = TriggerGuard::kReplicaRole;
  // Leaves transactions that commit at or behind it for another run.
  std::optional<Lsn> until;
  RelationGate gate;
  // An earlier stream of the run was IsTextNeeded().
  bool text_only = false;
  StreamOptions stream;
};

class StreamRun {
 public:
  // Takes the stream's place on the target, checks that slot and position
  // belong together, and starts. `events` gets notices of waiting and outlives
  // the run. kFailedPrecondition: the slot has moved beyond the target's
  // position (something was lost), or is no slot of ours.
  static absl::StatusOr<std::unique_ptr<StreamRun>> Start(
      StreamRunOptions options, EventSink& events);
  // Stops.
  ~StreamRun();

  const StreamState& state() const { return *state_; }

  // The reader hurries to bring state().applied() to `lsn`.
  void DrainTo(Lsn lsn) { state_->DrainTo(lsn); }

  // Set once the stream has ended by itself: OK when it has applied all before
  // `until`, otherwise the first error. IsTextNeeded() (text_needed.h): nothing
  // is wrong, another one with text_only goes on where this one has ended.
  std::optional<absl::Status> ended() const;

  // The change that ended it, if that was what ended it.
  std::optional<Conflict> conflict() const;

  // Where a snapshot of the source divides it (engine/stream/meeting.h).
  MeetingPoint& meeting_point() { return *meeting_; }
  // Transactions that ran on the source when the stream began, and do still: an
  // earlier stream may have applied one whose end no snapshot shows yet. "":
  // none; otherwise who they are. Those that are known to have done something
  // else since do not count.
  absl::StatusOr<std::string> older_transactions(PgConnection& source);

  // Commit time of the oldest transaction received and not applied.
  std::optional<absl::Time> oldest_pending() const;

  // Ends the stream, after the batch that is being applied unless it has ended
  // with an error; the source has then been told the last durable position, but
  // for an error that is not IsTextNeeded(), and the target's sessions are
  // free. The error, if it had ended with one. Fine to call again.
  absl::Status Stop();

 private:
  explicit StreamRun(StreamRunOptions options)
      : options_(std::move(options)), failed_(options_.connector.interrupt) {}
  absl::Status Open(EventSink& events);
  // options_.stream.apply_jobs of them, or, with a notice, as many as the
  // target takes, at least one.
  absl::Status OpenSessions(const ApplySessionOptions& options,
                            EventSink& events);
  // Asks for binary values where they are exact, then looks at each relation.
  absl::StatusOr<bool> ChooseBinary();
  absl::Status ReadOlderTransactions(PgConnection& walsender);
  std::vector<std::unique_ptr<AheadApplier>> MakeAppliers();
  void Read();
  void End(const absl::Status& status,
           const std::optional<Conflict>& conflict = std::nullopt);

  StreamRunOptions options_;
  // Raised when the stream ends with an error: a batch that waits for a lock
  // on the target is not waited for, it is sent again.
  Interrupt failed_;
  // The first holds the stream's lock.
  std::vector<std::unique_ptr<ApplySession>> sessions_;
  std::unique_ptr<ReplicationStream> stream_;
  std::unique_ptr<StreamState> state_;
  std::unique_ptr<BatchQueue> queue_;
  std::unique_ptr<MeetingPoint> meeting_;
  // Ids, and the source's time when they were running; the meetings' thread's.
  std::vector<std::string> older_transactions_;
  std::string began_at_;
  KeysInFlight in_flight_;
  std::unique_ptr<ApplyPool> pool_;
  std::unique_ptr<BatchBuilder> builder_;
  std::unique_ptr<StreamReader> reader_;

  mutable absl::Mutex mutex_;
  std::optional<absl::Status> ended_ ABSL_GUARDED_BY(mutex_);
  std::optional<Conflict> conflict_ ABSL_GUARDED_BY(mutex_);

  std::thread reading_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_STREAM_RUN_H_
