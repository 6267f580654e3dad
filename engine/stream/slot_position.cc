#include "engine/stream/slot_position.h"

#include "absl/strings/str_cat.h"
#include "engine/connect/source_position.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<Lsn> ReadSlotPosition(PgConnection& source,
                                     const std::string& slot) {
  ASSIGN_OR_RETURN(
      PgResult row,
      source.Exec(absl::StrCat(
          "SELECT coalesce(plugin, ''), database = current_database(), "
          "confirmed_flush_lsn, coalesce(wal_status, ''), two_phase "
          "FROM pg_catalog.pg_replication_slots WHERE slot_name = ",
          QuoteLiteral(slot))));
  const std::string name = absl::StrCat("source: slot ", slot);
  if (row.rows() == 0) {
    return WithHint(absl::NotFoundError(absl::StrCat(name, " does not exist")),
                    "name an existing logical slot with --slot, or create it: "
                    "SELECT pg_create_logical_replication_slot('...', "
                    "'pgoutput')");
  }
  if (row.Text(0, 0) != "pgoutput") {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " uses the output plugin \"", row.Text(0, 0),
                     "\", not pgoutput"));
  }
  if (!row.Bool(0, 1)) {
    return absl::FailedPreconditionError(
        absl::StrCat(name, " belongs to another database"));
  }
  if (row.Text(0, 3) == "lost" || row.IsNull(0, 2)) {
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat(name,
                         " is invalidated: the server has removed log it still "
                         "needed")),
        "the changes are gone: run `walferry cleanup` and begin again, with a "
        "larger max_slot_wal_keep_size on the source");
  }
  if (row.Bool(0, 4)) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            name,
            " sends prepared transactions (two_phase) before they are "
            "committed, and walferry applies what is committed")),
        "a slot keeps that option: create it anew without it");
  }
  return row.LsnAt(0, 2);
}

absl::Status CheckSlotContinues(PgConnection& source, const std::string& slot,
                                Lsn confirmed, Lsn position) {
  if (confirmed > position) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "source: slot ", slot, " is confirmed up to ", confirmed.ToString(),
            ", but the target holds changes up to ", position.ToString(),
            " only: the changes between are lost")),
        "was the target restored from a backup, or the slot read by another "
        "client? run `walferry cleanup` and begin again");
  }
  ASSIGN_OR_RETURN(const Lsn end, SendableLsn(source));
  if (position <= end) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string standby,
                   source.QueryValue("SELECT pg_catalog.pg_is_in_recovery()"));
  if (standby == "t") {
    // One that was started again replays what it had sent already.
    return absl::UnavailableError(absl::StrCat(
        "source: it has replayed up to ", end.ToString(),
        " only, and the target holds changes up to ", position.ToString()));
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "source: its log ends at ", end.ToString(),
          ", but the target holds changes up to ", position.ToString(),
          ": the source has gone back, and what it has written since would "
          "be taken for known")),
      "was a standby promoted that was behind, or the source restored from a "
      "backup? run `walferry cleanup`, empty the target and begin again");
}

}  // namespace walferry
