#include "engine/ledger/same_source.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/connect/server_identity.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<SourceIdentity> IdentifySource(const Connector& connector,
                                              MigrateMode mode) {
  if (mode == MigrateMode::kOnline) {
    ASSIGN_OR_RETURN(PgConnection walsender, connector.OpenWalsender(""));
    ASSIGN_OR_RETURN(SystemIdentity system, IdentifySystem(walsender));
    return SourceIdentity{
        .system_identifier = std::move(system.system_identifier),
        .dbname = std::move(system.dbname)};
  }
  ASSIGN_OR_RETURN(PgConnection source, connector.OpenSource("identity"));
  SourceIdentity identity{.dbname = source.dbname()};
  ASSIGN_OR_RETURN(identity.system_identifier, SystemIdentifierOf(source));
  return identity;
}

absl::Status CheckSameSource(const Connector& connector,
                             const LedgerMigration& migration) {
  ASSIGN_OR_RETURN(const SourceIdentity source,
                   IdentifySource(connector, migration.mode()));
  const bool same_system =
      source.system_identifier == migration.source_system_identifier ||
      source.system_identifier.empty() ||
      migration.source_system_identifier.empty();
  if (same_system && source.dbname == migration.source_dbname) {
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
