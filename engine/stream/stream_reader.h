#ifndef ENGINE_STREAM_STREAM_READER_H_
#define ENGINE_STREAM_STREAM_READER_H_

// The receiving half of a stream: takes frames from the walsender, hands
// batches to the queue, answers for what is durable. Never waits for the
// target, so that the source never takes it for dead.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/stream/batch_builder.h"
#include "engine/stream/batch_queue.h"
#include "engine/stream/meeting_point.h"
#include "engine/stream/stream_state.h"
#include "protocol/replication_frame.h"
#include "protocol/replication_stream.h"

namespace walferry {

struct StreamReaderOptions {
  // The position to store on the target once the builder has reached its end.
  std::optional<Lsn> until;
  // A status goes out at least this often.
  absl::Duration status_interval = absl::Seconds(1);
  // An idle stream's position is stored on the target this often.
  absl::Duration advance_interval = absl::Seconds(10);
  absl::Duration receive_timeout = absl::Seconds(60);
};

// Runs on one thread. What it is given outlives it.
class StreamReader {
 public:
  StreamReader(ReplicationStream& stream, BatchBuilder& builder,
               BatchQueue& queue, StreamState& state, MeetingPoint& meeting,
               const StreamReaderOptions& options)
      : stream_(stream),
        builder_(builder),
        queue_(queue),
        state_(state),
        meeting_(meeting),
        options_(options) {}

  // Reads until Stop() or an error. Behind `until` it reads no more, but goes
  // on to answer the source.
  absl::Status Run();

  // Thread-safe. Run() returns soon, having reported what is durable by then.
  void Stop() { stopping_.store(true); }

  // Of the builder: a transaction begins to come.
  void OnBegin(const Begin& begin);

 private:
  absl::Status TakeFrame(absl::string_view bytes);
  absl::Status OnKeepalive(const Keepalive& keepalive);
  absl::Status OnQuiet(absl::Time now);
  absl::Status OnUntil();
  absl::Status CheckLiveness(absl::Time now);
  absl::Status SendStatus(absl::Time now, bool reply_requested);
  absl::Status SendStatusIfDue(absl::Time now);
  void HandOn();
  void HandOnIfWanted();
  void PlaceBarrier();
  void PlaceBarrierIfComplete(Lsn complete);
  void AdvanceIfIdle(absl::Time now);
  bool Draining() const;
  absl::Time NextDeadline(absl::Time now) const;

  ReplicationStream& stream_;
  BatchBuilder& builder_;
  BatchQueue& queue_;
  StreamState& state_;
  MeetingPoint& meeting_;
  const StreamReaderOptions options_;
  std::atomic<bool> stopping_ = false;

  // Of the last look at the clock.
  absl::Time now_;
  // Much was there to read at once, so there is more to come: bytes and
  // transactions are let pile up.
  bool busy_ = false;
  size_t bytes_since_quiet_ = 0;
  // When the first transaction of the batch began to come.
  std::optional<absl::Time> batch_begin_;
  // The furthest position that a keepalive named.
  Lsn wal_end_;
  // Pushed to be stored, not yet known to be.
  Lsn advancing_to_;
  Lsn reported_;
  absl::Time last_frame_;
  // When a sign of life was asked for, of a source that had gone quiet.
  absl::Time asked_;
  absl::Time last_status_;
  absl::Time last_advance_;
  // The source has asked for an answer and waits for the position to move.
  bool hurry_ = false;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_STREAM_READER_H_
