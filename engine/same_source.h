#ifndef ENGINE_SAME_SOURCE_H_
#define ENGINE_SAME_SOURCE_H_

// What is copied comes from one database: the rest must, too.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/connect.h"
#include "engine/ledger.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct SourceIdentity {
  std::string system_identifier;  // "" where nobody may read it.
  std::string dbname;
};

// "" if the role may not know it.
absl::StatusOr<std::string> SystemIdentifierOf(PgConnection& connection);

// As a walsender tells it; if `mode` is offline, as a session does.
absl::StatusOr<SourceIdentity> IdentifySource(const Connector& connector,
                                              MigrateMode mode);

// kFailedPrecondition: the source is not the database that the migration was
// begun with.
absl::Status CheckSameSource(const Connector& connector,
                             const LedgerMigration& migration);

}  // namespace walferry

#endif  // ENGINE_SAME_SOURCE_H_
