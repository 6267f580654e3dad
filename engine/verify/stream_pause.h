#ifndef ENGINE_VERIFY_STREAM_PAUSE_H_
#define ENGINE_VERIFY_STREAM_PAUSE_H_

// What a repair must know of a stream that writes to the same target.

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"

namespace walferry {

// A stream that applies nothing for now. It may go on at any time, and can only
// be asked about that.
class StreamPause {
 public:
  virtual ~StreamPause() = default;

  // A session inside the snapshot of the target: the state in which it stands.
  virtual absl::Status Begin(PgConnection& target) = 0;

  // In a transaction that keeps everybody else from writing to its tables, and
  // has written nothing itself: whether the stream has written nothing since
  // Begin(). kAborted: it may have (why).
  virtual absl::Status CheckPosition(PgConnection& target) = 0;

  // Whether it is known to stand. kAborted: not any more (why).
  virtual absl::Status CheckStanding() = 0;

  // It does not stand for longer.
  virtual absl::Time until() const = 0;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_STREAM_PAUSE_H_
