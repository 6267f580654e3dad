// RunCleanup: leaves nothing of a migration behind but the user's tables.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/connect.h"
#include "engine/cutover/created_objects.h"
#include "engine/ledger/ledger.h"
#include "engine/ledger/ledger_content.h"
#include "engine/ledger/same_source.h"
#include "engine/ledger/verify_notes.h"
#include "engine/migration/migration.h"
#include "engine/migration_name.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// What has become of it.
std::string DescribeEnd(const LedgerObject& object) {
  const absl::string_view side =
      object.side == Side::kSource ? "source: " : "target: ";
  if (object.kind == "unsynced") return absl::StrCat(side, "files synced");
  return absl::StrCat(side, object.kind, " ", object.identity,
                      object.kind == "setting" ? " put back" : " dropped");
}

}  // namespace

absl::StatusOr<std::vector<std::string>> RunCleanup(
    const CleanupOptions& options, Control& control) {
  RETURN_IF_ERROR(CheckMigrationName(options.endpoints.name));
  const Connector connector{.endpoints = options.endpoints,
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("cleanup", Contact::kFirst));
  Ledger ledger(target, {.schema = options.endpoints.ledger_schema,
                         .migration = options.endpoints.name});
  std::vector<std::string> done;
  ASSIGN_OR_RETURN(
      const bool noted,
      ForgetVerifyNotes(target, {.schema = options.endpoints.ledger_schema,
                                 .migration = options.endpoints.name}));
  if (noted) {
    done.push_back(absl::StrCat("target: notes of comparison ",
                                options.endpoints.name, " forgotten"));
  }
  ASSIGN_OR_RETURN(const bool exists, ledger.Exists());
  if (!exists) {
    if (noted) return done;
    // Whoever has mistaken the name would think that it is cleaned up.
    const LedgerKey key = {.schema = options.endpoints.ledger_schema,
                           .migration = options.endpoints.name};
    ASSIGN_OR_RETURN(const std::vector<std::string> others,
                     KnownMigrations(target, key.schema));
    if (!others.empty()) return NoSuchMigration(target, key);
    done.push_back(absl::StrCat("target: no migration ", options.endpoints.name,
                                " in ledger schema ",
                                options.endpoints.ledger_schema));
    return done;
  }
  RETURN_IF_ERROR(ledger.Create());
  RETURN_IF_ERROR(
      ledger.Lock(options.force ? absl::Seconds(5) : absl::ZeroDuration()));
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("cleanup", Contact::kFirst));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  if (absl::c_any_of(objects, [](const LedgerObject& object) {
        return object.side == Side::kSource;
      })) {
    ASSIGN_OR_RETURN(const std::optional<LedgerMigration> known, ledger.Read());
    RETURN_IF_ERROR(CheckSameSource(connector, *known));
  }
  for (const LedgerObject& object : objects) {
    if (object.kind == "slot" && options.force) {
      RETURN_IF_ERROR(
          EndWalsender(source, object.identity, control.interrupt()));
    }
    absl::Status dropped = DropObject(object, source, target);
    if (!dropped.ok() && object.kind == "slot" && !options.force) {
      return WithHint(std::move(dropped),
                      "if a walsender still holds the slot, `walferry cleanup "
                      "--force` ends it");
    }
    RETURN_IF_ERROR(dropped);
    RETURN_IF_ERROR(ledger.RemoveObject(object));
    done.push_back(DescribeEnd(object));
  }
  RETURN_IF_ERROR(ledger.Forget());
  done.push_back(absl::StrCat("target: ledger of migration ",
                              options.endpoints.name, " forgotten"));
  return done;
}

}  // namespace walferry
