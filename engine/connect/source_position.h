#ifndef ENGINE_CONNECT_SOURCE_POSITION_H_
#define ENGINE_CONNECT_SOURCE_POSITION_H_

// How far the source's log has come.

#include "absl/status/statusor.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Where the last record ends, flushed or not. Not of a standby.
absl::StatusOr<Lsn> InsertPosition(PgConnection& source);

// The end of the log that a walsender can send now: flushed, or on a standby
// replayed.
absl::StatusOr<Lsn> SendableLsn(PgConnection& source);

// A position behind every commit record that exists now, flushed or not, and
// that a walsender reaches without further writes: the end of the last record,
// never a page header that no record has followed yet.
absl::StatusOr<Lsn> LastRecordEnd(PgConnection& source);

// `insert_position` as pg_current_wal_insert_lsn() tells it, taken back to the
// page's start if it points just behind a page header (24 bytes; 40 at the
// start of a segment: xlog_internal.h).
Lsn WithoutPageHeader(Lsn insert_position, uint64_t segment_bytes);

}  // namespace walferry

#endif  // ENGINE_CONNECT_SOURCE_POSITION_H_
