#include "engine/connect/source_position.h"

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr uint64_t kPageBytes = 8192;  // XLOG_BLCKSZ's default.
constexpr uint64_t kShortHeaderBytes = 24;
constexpr uint64_t kLongHeaderBytes = 40;

}  // namespace

absl::StatusOr<Lsn> InsertPosition(PgConnection& source) {
  ASSIGN_OR_RETURN(
      PgResult row,
      source.Exec("SELECT pg_catalog.pg_current_wal_insert_lsn(), "
                  "(SELECT setting::bigint FROM pg_catalog.pg_settings "
                  "WHERE name = 'wal_segment_size')"));
  ASSIGN_OR_RETURN(const Lsn lsn, row.LsnAt(0, 0));
  ASSIGN_OR_RETURN(const int64_t segment_bytes, row.Int64(0, 1));
  return WithoutPageHeader(lsn, static_cast<uint64_t>(segment_bytes));
}

absl::StatusOr<Lsn> SendableLsn(PgConnection& source) {
  ASSIGN_OR_RETURN(
      PgResult row,
      source.Exec("SELECT CASE WHEN pg_catalog.pg_is_in_recovery() "
                  "THEN pg_catalog.pg_last_wal_replay_lsn() "
                  "ELSE pg_catalog.pg_current_wal_flush_lsn() END"));
  return row.LsnAt(0, 0);
}

absl::StatusOr<Lsn> LastRecordEnd(PgConnection& source) {
  // An idle server's log writer sleeps for seconds. A commit flushes all that
  // was written before it, also commits of others that were acknowledged
  // unflushed, unless the configuration lets it go unflushed too. `local`: a
  // standby that is gone must not hold it up.
  absl::StatusOr<PgResult> emitted = source.Exec(
      "BEGIN; SET LOCAL synchronous_commit = local; "
      "SELECT pg_catalog.pg_logical_emit_message(true, 'walferry', 'flush') "
      "WHERE NOT pg_catalog.pg_is_in_recovery()");
  if (!emitted.ok()) {
    if (source.broken()) return emitted.status();
    // The role may not: the log writer will come to it.
    RETURN_IF_ERROR(source.Exec("ROLLBACK").status());
    return InsertPosition(source);
  }
  RETURN_IF_ERROR(source.Exec("COMMIT").status());
  ASSIGN_OR_RETURN(const Lsn sendable, SendableLsn(source));
  if (emitted->rows() == 0) return sendable;
  ASSIGN_OR_RETURN(const Lsn message, emitted->LsnAt(0, 0));
  if (sendable >= message) return sendable;
  return absl::InternalError(absl::StrCat(
      "source: a commit at ", message.ToString(),
      " was not flushed: the log is flushed up to ", sendable.ToString()));
}

Lsn WithoutPageHeader(Lsn insert_position, uint64_t segment_bytes) {
  const uint64_t header = insert_position.value() % segment_bytes < kPageBytes
                              ? kLongHeaderBytes
                              : kShortHeaderBytes;
  if (insert_position.value() % kPageBytes != header) return insert_position;
  return Lsn(insert_position.value() - header);
}

}  // namespace walferry
