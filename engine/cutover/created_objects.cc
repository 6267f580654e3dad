#include "engine/cutover/created_objects.h"

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/cutover/quiet_source.h"
#include "engine/target/altered_settings.h"
#include "engine/target/durable_server.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kWalsenderPatience = absl::Seconds(10);
constexpr absl::Duration kOriginPatience = absl::Seconds(10);
constexpr absl::string_view kObjectInUse = "55006";

absl::Status DropSlotIfExists(const std::string& slot, PgConnection& source) {
  return Annotate(
      source
          .Exec(absl::StrCat(
              "SELECT pg_catalog.pg_drop_replication_slot(slot_name) FROM "
              "pg_catalog.pg_replication_slots WHERE slot_name = ",
              QuoteLiteral(slot)))
          .status(),
      absl::StrCat("source: slot ", slot));
}

// With those of further sessions of the stream, "NAME/2" and so on. A session
// that has just been closed may hold its origin for a moment more.
absl::Status DropOriginIfExists(const std::string& origin,
                                PgConnection& target) {
  const std::string sql = absl::StrCat(
      "SELECT pg_catalog.pg_replication_origin_drop(roname) FROM "
      "pg_catalog.pg_replication_origin WHERE roname = ",
      QuoteLiteral(origin), " OR pg_catalog.starts_with(roname, ",
      QuoteLiteral(absl::StrCat(origin, "/")), ")");
  const absl::Time deadline = absl::Now() + kOriginPatience;
  absl::Status dropped = target.Exec(sql).status();
  while (SqlStateOf(dropped) == kObjectInUse && absl::Now() < deadline) {
    absl::SleepFor(absl::Milliseconds(20));
    dropped = target.Exec(sql).status();
  }
  // A role that may not use origins could not have made one.
  if (absl::IsPermissionDenied(dropped)) return absl::OkStatus();
  return Annotate(dropped, absl::StrCat("target: origin ", origin));
}

}  // namespace

absl::Status EndWalsender(PgConnection& source, const std::string& slot,
                          const Interrupt& interrupt) {
  const std::string sql = absl::StrCat(
      "SELECT active_pid, pg_catalog.pg_terminate_backend(active_pid) FROM "
      "pg_catalog.pg_replication_slots WHERE active_pid IS NOT NULL AND "
      "slot_name = ",
      QuoteLiteral(slot));
  const absl::Time deadline = absl::Now() + kWalsenderPatience;
  while (true) {
    ASSIGN_OR_RETURN(const PgResult active, source.Exec(sql));
    if (active.rows() == 0) return absl::OkStatus();
    if (absl::Now() >= deadline) {
      return absl::UnavailableError(absl::StrCat(
          "source: slot ", slot, ": session ", active.Text(0, 0),
          " still holds it, ", absl::FormatDuration(kWalsenderPatience),
          " after it was told to end"));
    }
    RETURN_IF_ERROR(interrupt.Sleep(absl::Milliseconds(20)));
  }
}

absl::Status DropObject(const LedgerObject& object, PgConnection& source,
                        PgConnection& target) {
  if (object.kind == "slot") return DropSlotIfExists(object.identity, source);
  if (object.kind == "origin") {
    return DropOriginIfExists(object.identity, target);
  }
  if (object.kind == "publication") {
    return Annotate(source
                        .Exec(absl::StrCat("DROP PUBLICATION IF EXISTS ",
                                           QuoteIdentifier(object.identity)))
                        .status(),
                    absl::StrCat("source: publication ", object.identity));
  }
  if (object.kind == "setting") {
    if (object.side == Side::kSource) {
      return UnfreezeDatabase(source, object.detail);
    }
    RETURN_IF_ERROR(PutBackSetting(target, object));
    return ReloadSettings(target);
  }
  if (object.kind == "unsynced") {
    RETURN_IF_ERROR(CheckSameBoot(target, object));
    return SyncServer(target);
  }
  return absl::InternalError(
      absl::StrCat("ledger: unknown kind of object: ", object.kind));
}

}  // namespace walferry
