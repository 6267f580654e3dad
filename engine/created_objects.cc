#include "engine/created_objects.h"

#include "absl/strings/str_cat.h"
#include "engine/quiet_source.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

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

absl::Status DropOriginIfExists(const std::string& origin,
                                PgConnection& target) {
  const absl::Status dropped =
      target
          .Exec(absl::StrCat(
              "SELECT pg_catalog.pg_replication_origin_drop(roname) FROM "
              "pg_catalog.pg_replication_origin WHERE roname = ",
              QuoteLiteral(origin)))
          .status();
  // A role that may not use origins could not have made one.
  if (absl::IsPermissionDenied(dropped)) return absl::OkStatus();
  return Annotate(dropped, absl::StrCat("target: origin ", origin));
}

}  // namespace

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
  if (object.kind == "setting") return UnfreezeDatabase(source);
  return absl::InternalError(
      absl::StrCat("ledger: unknown kind of object: ", object.kind));
}

}  // namespace walferry
