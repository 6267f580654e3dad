#ifndef ENGINE_LEDGER_NO_SUCH_MIGRATION_H_
#define ENGINE_LEDGER_NO_SUCH_MIGRATION_H_

// What whoever names a migration that is not there is told.

#include "absl/status/status.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/pg_connection.h"

namespace walferry {

// kNotFound: that migration is not in the ledger; the hint has what is.
absl::Status NoSuchMigration(PgConnection& target, const LedgerKey& key);

}  // namespace walferry

#endif  // ENGINE_LEDGER_NO_SUCH_MIGRATION_H_
