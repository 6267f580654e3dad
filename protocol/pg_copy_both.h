#ifndef PROTOCOL_PG_COPY_BOTH_H_
#define PROTOCOL_PG_COPY_BOTH_H_

// A copy-both exchange: CopyData in both directions until one side ends it. For
// the files of protocol_pg alone.

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"

namespace walferry {

// An error that ends the exchange marks the connection broken, and is what
// every later call returns. An interrupt (kCancelled) does not end it.
class CopyBoth {
 public:
  virtual ~CopyBoth() = default;

  // The body of the next CopyData, valid until the next call; nullopt if none
  // has come by `deadline` (a past deadline: only look).
  virtual absl::StatusOr<std::optional<absl::string_view>> Next(
      absl::Time deadline) = 0;

  // Whether Next() has something to give that was read already.
  virtual bool Ready() = 0;

  // Sends a CopyData. What the kernel does not take now goes out with Next().
  virtual absl::Status Send(absl::string_view body) = 0;

  // Sends CopyDone and awaits that the server is done too, whatever comes
  // before that; no interrupt ends it. The connection is of no further use.
  virtual absl::Status Finish(absl::Time deadline) = 0;
};

// Sends `command`, which begins a copy-both, and awaits its beginning. The
// connection outlives the result.
//
// The socket is read directly, unless it is encrypted.
absl::StatusOr<std::unique_ptr<CopyBoth>> StartCopyBoth(
    PgConnection& connection, const std::string& command);

// The two ways: libpq's, in a copy-both already, ...
std::unique_ptr<CopyBoth> MakeLibpqCopyBoth(PgConnection& connection);
// ... and the socket's own. The server's answer to the command is about to be
// read, and is a CopyBothResponse: libpq has seen nothing of it.
std::unique_ptr<CopyBoth> MakeSocketCopyBoth(PgConnection& connection);

}  // namespace walferry

#endif  // PROTOCOL_PG_COPY_BOTH_H_
