#ifndef ENGINE_LEDGER_LEDGER_CONTENT_H_
#define ENGINE_LEDGER_LEDGER_CONTENT_H_

// What a ledger holds of migrations, for who asks about none in particular, or
// about one that is not there. The session is one of the target's, and need not
// find a ledger.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Names, in order.
absl::StatusOr<std::vector<std::string>> KnownMigrations(
    PgConnection& target, const std::string& ledger_schema);
// Of these, those that have not come to their end.
absl::StatusOr<std::vector<std::string>> UnfinishedMigrations(
    PgConnection& target, const std::string& ledger_schema);
// Of these, those that follow changes, or will.
absl::StatusOr<std::vector<std::string>> MigrationsThatFollow(
    PgConnection& target, const std::string& ledger_schema);

// kNotFound: that migration is not there; the hint has those that are, and
// `advice` ("" or a clause) behind. Another error: nobody knows.
absl::Status NoSuchMigration(PgConnection& target, const LedgerKey& key,
                             absl::string_view advice = "");

// Whether dropping the database that `target` is in would forget something that
// walferry has to undo yet. kFailedPrecondition: what, and of which migration.
absl::Status CheckNothingToUndo(PgConnection& target,
                                const std::string& ledger_schema);

}  // namespace walferry

#endif  // ENGINE_LEDGER_LEDGER_CONTENT_H_
