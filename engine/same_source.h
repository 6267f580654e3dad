#ifndef ENGINE_SAME_SOURCE_H_
#define ENGINE_SAME_SOURCE_H_

// What is copied comes from one database: the rest must, too.

#include "absl/status/status.h"
#include "engine/connect.h"
#include "engine/ledger.h"

namespace walferry {

// kFailedPrecondition: the source is not the database that the migration was
// begun with.
absl::Status CheckSameSource(const Connector& connector,
                             const LedgerMigration& migration);

}  // namespace walferry

#endif  // ENGINE_SAME_SOURCE_H_
