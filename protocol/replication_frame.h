#ifndef PROTOCOL_REPLICATION_FRAME_H_
#define PROTOCOL_REPLICATION_FRAME_H_

// What travels inside CopyData while START_REPLICATION runs ("Streaming
// Replication Protocol" in the PostgreSQL manual).

#include <cstdint>
#include <string>
#include <variant>

#include "absl/base/attributes.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/lsn.h"

namespace walferry {

// 'w': one pgoutput message. Its LSNs are 0/0 on some messages and do not grow
// steadily on others: never a position by themselves.
struct XLogData {
  Lsn data_start;
  Lsn wal_end;
  int64_t send_time = 0;      // Server clock, pg_time.h.
  absl::string_view payload;  // Views the frame.
};

// 'k': everything before `wal_end` has been decoded and sent.
struct Keepalive {
  Lsn wal_end;
  int64_t send_time = 0;
  bool reply_requested = false;
};

using Frame = std::variant<XLogData, Keepalive>;

absl::StatusOr<Frame> DecodeFrame(
    absl::string_view bytes ABSL_ATTRIBUTE_LIFETIME_BOUND);

// 'r': what the client has. `flush` moves the slot: only what the target has
// committed durably may stand there. 0/0 makes no statement.
struct StandbyStatus {
  Lsn write;
  Lsn flush;
  Lsn apply;
  int64_t client_time = 0;
  bool reply_requested = false;  // The server answers with a Keepalive at once.
};

// The 34 bytes of the frame.
std::string BuildStandbyStatus(const StandbyStatus& status);

}  // namespace walferry

#endif  // PROTOCOL_REPLICATION_FRAME_H_
