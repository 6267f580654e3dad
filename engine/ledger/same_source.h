#ifndef ENGINE_LEDGER_SAME_SOURCE_H_
#define ENGINE_LEDGER_SAME_SOURCE_H_

// What is copied comes from one database: the rest must, too.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger.h"
#include "engine/options.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct SourceIdentity {
  std::string system_identifier;  // "" where nobody may read it.
  std::string dbname;
};

// As a walsender tells it; if `mode` is offline, as a session does.
absl::StatusOr<SourceIdentity> IdentifySource(const Connector& connector,
                                              MigrateMode mode);

// kFailedPrecondition: the source is not the database that the migration was
// begun with.
absl::Status CheckSameSource(const Connector& connector,
                             const LedgerMigration& migration);

}  // namespace walferry

#endif  // ENGINE_LEDGER_SAME_SOURCE_H_
