#ifndef APPLY_STREAM_ROW_H_
#define APPLY_STREAM_ROW_H_

// A stream's row on the target: what the stream is, how far it is applied, and
// under which epoch it is written.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What a stream is. Stored with the position; a stream that is opened again
// must be the same one, or an older position would be taken for its own.
struct StreamIdentity {
  std::string name;  // The migration's.
  std::string system_identifier;
  std::string slot;
  std::string dbname;
};

// CREATE TABLE IF NOT EXISTS for the stream table and the one of its tables'
// counts (table_counts.h), to be run inside the ledger schema's creation. One
// row per stream: identity, applied_lsn, commit_time, epoch, counts of applied
// transactions and changes, updated_at; counted_since, the position behind
// which its tables' changes are counted, is NULL in a row that an older
// walferry has made, until this one takes it over.
std::string StreamTableSql(absl::string_view ledger_schema);

struct StreamRow {
  Lsn position;  // Everything up to it is on the target.
  int64_t epoch = 0;
};

struct StreamRowOptions {
  std::string ledger_schema;
  StreamIdentity identity;
  // The position if there is no row yet.
  Lsn start;
  // How long to wait for a session that still writes the row.
  absl::Time deadline;
  // Called with "waiting for ..." when it has to wait; may be empty.
  std::function<void(absl::string_view)> on_wait;
};

// Creates the row unless it is there, and raises its epoch: whoever writes the
// stream under an older one fails. The connection holds the stream's lock.
// kFailedPrecondition: the row is of another source (what differs is told).
// kAborted after the deadline: a session that is left of another process still
// writes it (its pid is told).
absl::StatusOr<StreamRow> TakeStreamRow(PgConnection& connection,
                                        const StreamRowOptions& options);

}  // namespace walferry

#endif  // APPLY_STREAM_ROW_H_
