#include "engine/same_source.h"

#include "absl/strings/str_cat.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {

absl::Status CheckSameSource(const Connector& connector,
                             const LedgerMigration& migration) {
  ASSIGN_OR_RETURN(PgConnection walsender, connector.OpenWalsender(""));
  ASSIGN_OR_RETURN(const SystemIdentity source, IdentifySystem(walsender));
  if (source.system_identifier == migration.source_system_identifier &&
      source.dbname == migration.source_dbname) {
    return absl::OkStatus();
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "source: this is database ", source.dbname, " of system ",
          source.system_identifier, ", but the migration was begun with ",
          migration.source_dbname, " of system ",
          migration.source_system_identifier)),
      "go on with the same --source, or choose another --name");
}

}  // namespace walferry
