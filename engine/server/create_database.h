#ifndef ENGINE_SERVER_CREATE_DATABASE_H_
#define ENGINE_SERVER_CREATE_DATABASE_H_

// Databases on the target that are like the source's: with the same encoding,
// locale and provider, made from template0, and later with the same connection
// limit, privileges, comment and settings.

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/check/check_findings.h"
#include "engine/ledger/ledger.h"
#include "engine/server/globals_plan.h"
#include "engine/server/server_databases.h"
#include "engine/server/target_databases.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct CreateDatabaseOptions {
  bool no_owner = false;
  bool no_acl = false;
  // Databases that the target has are taken as they are.
  bool use_existing = false;
  // Those that an earlier run has begun (DatabasesBegun) are this run's own.
  absl::flat_hash_set<std::string> begun;
  // What the globals' plan makes first.
  absl::flat_hash_set<std::string> roles_to_come;
  absl::flat_hash_set<std::string> tablespaces_to_come;
};

struct DatabasePlan {
  std::string name;
  std::string create;  // "": it exists.
  // For when the rows are there, as a connection limit or a right that is taken
  // away could be in the way before. May be run twice.
  std::vector<GlobalStatement> properties;
};

struct DatabasesPlan {
  std::vector<DatabasePlan> databases;  // In the order of those wanted.
  std::vector<Finding> findings;
};

// What the target lacks is a finding before anything is made. The plan leaves
// out what an acceptable finding speaks of.
DatabasesPlan PlanDatabases(absl::Span<const ServerDatabase> wanted,
                            const TargetDatabases& target,
                            const CreateDatabaseOptions& options);

// Those that CreateDatabase has noted.
absl::StatusOr<absl::flat_hash_set<std::string>> DatabasesBegun(Ledger& ledger);

// Notes that the database is this migration's own, then creates it: so a run
// that is killed in between takes it for its own and no other's for it.
// One that is there is its own if it was noted before this call, as when the
// answer to CREATE DATABASE was lost; otherwise kAlreadyExists: somebody else
// was faster. `ledger` is in a database that is
// there already, as the one that CREATE DATABASE runs in.
absl::Status CreateDatabase(PgConnection& target, Ledger& ledger,
                            const DatabasePlan& plan);

// The properties, in one transaction.
absl::Status SetDatabaseProperties(PgConnection& target,
                                   const DatabasePlan& plan);

// The ids of PlanDatabases' findings, in the order of the alphabet.
absl::Span<const absl::string_view> DatabaseFindingIds();

}  // namespace walferry

#endif  // ENGINE_SERVER_CREATE_DATABASE_H_
