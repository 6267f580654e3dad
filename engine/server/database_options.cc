#include "engine/server/database_options.h"

#include "engine/catalog/delayed_tables.h"
#include "engine/server/replication_budget.h"
#include "engine/server/server_ledger.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<MigrateOptions> OptionsOfDatabase(
    const ServerMigrateOptions& options, const ServerDatabase& database) {
  MigrateOptions migrate = options.migrate;
  ASSIGN_OR_RETURN(migrate.endpoints,
                   DatabaseEndpoints(migrate.endpoints, database.name));
  migrate.fast_target = false;  // The whole server's is.
  migrate.of_server_move = true;
  migrate.slot = SlotOf(options, database);
  migrate.scope.delay_table_data =
      DelayPatternsOf(options.delay_table_data, database.name);
  return migrate;
}

std::string SlotOf(const ServerMigrateOptions& options,
                   const ServerDatabase& database) {
  return options.migrate.mode == MigrateMode::kOnline
             ? DatabaseSlotName(options.migrate.endpoints.name, database.oid)
             : "";
}

}  // namespace walferry
