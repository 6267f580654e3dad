#ifndef ENGINE_SERVER_DATABASE_OPTIONS_H_
#define ENGINE_SERVER_DATABASE_OPTIONS_H_

// What the migration of one database is told where all of a server are moved.

#include <string>

#include "absl/status/statusor.h"
#include "engine/options.h"
#include "engine/server/server_databases.h"
#include "engine/server/servers.h"

namespace walferry {

// Its endpoints, its slot, its delayed tables; without what only a run needs:
// turns and on_usable.
absl::StatusOr<MigrateOptions> OptionsOfDatabase(
    const ServerMigrateOptions& options, const ServerDatabase& database);

// "": offline it has none.
std::string SlotOf(const ServerMigrateOptions& options,
                   const ServerDatabase& database);

}  // namespace walferry

#endif  // ENGINE_SERVER_DATABASE_OPTIONS_H_
