#ifndef ENGINE_VERIFY_STREAM_PAUSE_H_
#define ENGINE_VERIFY_STREAM_PAUSE_H_

// What a repair must know of a stream that writes to the same target.

#include "absl/status/status.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// A stream that applies nothing for now. It may go on at any time, and can only
// be asked about that.
class StreamPause {
 public:
  virtual ~StreamPause() = default;

  // A session inside the snapshot of the target: the state in which it stands.
  virtual absl::Status Begin(PgConnection& target) = 0;

  // Raised when it is not known any more that it stands: for sessions, so that
  // nobody waits for their locks.
  virtual const Interrupt& over() const = 0;

  // Whether it is known to stand, asked anew. kAborted: not any more (why).
  virtual absl::Status CheckStanding() = 0;

  // In a transaction that keeps everybody else from writing to its tables:
  // whether the stream had written nothing since Begin(), and so cannot have
  // written to these. kAborted: it may have (why).
  virtual absl::Status CheckPosition(PgConnection& target) = 0;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_STREAM_PAUSE_H_
