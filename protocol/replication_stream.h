#ifndef PROTOCOL_REPLICATION_STREAM_H_
#define PROTOCOL_REPLICATION_STREAM_H_

// A logical replication stream from a walsender.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_copy_both.h"
#include "protocol/replication_frame.h"

namespace walferry {

enum class Streaming { kOff, kOn, kParallel };

struct ReplicationOptions {
  std::string slot;
  std::vector<std::string> publications;
  // Transactions whose commit record starts before it are not sent. Use the
  // stored end_lsn; the slot's confirmed position if that is further.
  Lsn start;
  int protocol_version = 1;
  Streaming streaming = Streaming::kOff;
  bool binary = false;
  bool messages = false;
  bool two_phase = false;
  // PostgreSQL 16 and later: "none" leaves out what came from elsewhere.
  std::string origin;
};

// The START_REPLICATION command; kInvalidArgument if the server's version does
// not know an option.
absl::StatusOr<std::string> BuildStartReplication(
    const ReplicationOptions& options, int server_version);

// Owns the connection. Not thread-safe: one thread receives and answers.
class ReplicationStream {
 public:
  // `connection` was opened with `replication`. Pins search_path, as
  // libpqwalreceiver does, then starts. kNotFound: no such slot;
  // kUnavailable: the slot is in use by another process.
  static absl::StatusOr<std::unique_ptr<ReplicationStream>> Start(
      PgConnection connection, const ReplicationOptions& options);
  ~ReplicationStream();

  // The next frame's bytes (for DecodeFrame), valid until the next call;
  // nullopt if none has come by `deadline` (a past deadline: only look).
  // kUnavailable when the server has closed or ended the stream.
  absl::StatusOr<std::optional<absl::string_view>> Next(absl::Time deadline);

  // Whether Next() has something to give that was read already. Where it has
  // not, each call of Next() reads once: who calls it less often gets more at
  // once, and costs the walsender less.
  bool Ready() { return exchange_->Ready(); }

  // Sends the status and flushes it; never waits for the target.
  absl::Status Send(const StandbyStatus& status);

  // Ends the stream politely: CopyDone, then at most `timeout` for the
  // server's own; an interrupt does not end this wait. The slot is free
  // afterwards, and the connection is of no further use.
  absl::Status Finish(absl::Duration timeout);

  PgConnection& connection() { return connection_; }

 private:
  explicit ReplicationStream(PgConnection connection);

  PgConnection connection_;
  std::unique_ptr<CopyBoth> exchange_;
};

// ---- Other commands of a walsender connection ----

struct SystemIdentity {
  std::string system_identifier;
  int64_t timeline = 0;
  Lsn flushed;
  std::string dbname;
};
absl::StatusOr<SystemIdentity> IdentifySystem(PgConnection& connection);

struct CreateSlotOptions {
  std::string slot;
  bool temporary = false;
  bool export_snapshot = true;
  // PostgreSQL 17 and later: carried over to standbys.
  bool failover = false;
};
struct CreatedSlot {
  Lsn consistent_point;
  // Valid until the next command on the same connection.
  std::string snapshot_name;
};
// Creates a pgoutput slot. Waits for every transaction that runs now; bounded
// by the connection's statement_timeout. kAlreadyExists: the name is taken.
absl::StatusOr<CreatedSlot> CreateSlot(PgConnection& connection,
                                       const CreateSlotOptions& options);

absl::Status DropSlot(PgConnection& connection, const std::string& slot);

}  // namespace walferry

#endif  // PROTOCOL_REPLICATION_STREAM_H_
