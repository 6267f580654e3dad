#ifndef PROTOCOL_PG_WAIT_H_
#define PROTOCOL_PG_WAIT_H_

// The waits and the failures that every exchange with a server is made of. For
// the files of protocol_pg alone.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pg_result.h"

namespace walferry {

struct SocketWait {
  absl::Time deadline = absl::InfiniteFuture();
  const Interrupt* interrupt = nullptr;
  // OK also comes at least this often, with nothing to read.
  absl::Duration at_most = absl::InfiniteDuration();
};

// Waits until poll() reports one of `events` (or an error of the socket, which
// the next read will find). kDeadlineExceeded or kCancelled otherwise. A
// negative `fd` only waits.
absl::Status WaitForSocket(int fd, short events, const SocketWait& wait);

// The deadline of a wait that may take `timeout` from now on.
absl::Time DeadlineAfter(absl::Duration timeout);

// Ends an exchange that cannot go on: sends a cancel request if `why` is
// kDeadlineExceeded or kCancelled, marks the connection broken, returns `why`.
absl::Status GiveUp(PgConnection& connection, const absl::Status& why);

// Why a connection failed below SQL: the server's last words if there are any,
// otherwise what libpq says (kUnavailable, or kDataLoss if the server sent what
// no server sends). Marks it broken.
absl::Status ConnectionFailure(PgConnection& connection);

// Why libpq did not take a statement: the connection failed, or the statement
// is none that can be sent (kInternal; the connection stays usable).
absl::Status SendFailure(PgConnection& connection);

// The status of a failed result; marks the connection broken if the error is
// not the server's.
absl::Status FailureOf(PgConnection& connection, const PgResult& result);

// Hands everything queued to the kernel, and takes in what arrives meanwhile.
absl::Status FlushOutput(PgConnection& connection, absl::Time deadline);

// The next result of what was sent; without one (get() is null) when the
// statement is over. A failed result is returned like any other.
absl::StatusOr<PgResult> AwaitResult(PgConnection& connection,
                                     absl::Time deadline);

// Reads the remaining results. OK if none of them is a failure, else the first
// failure. `last` (may be null) receives the last one that is none.
absl::Status AwaitEnd(PgConnection& connection, absl::Time deadline,
                      PgResult* last);

// Starts a statement by the simple query protocol.
absl::Status SendQuery(PgConnection& connection, const std::string& sql);

}  // namespace walferry

#endif  // PROTOCOL_PG_WAIT_H_
