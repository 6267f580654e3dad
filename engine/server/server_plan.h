#ifndef ENGINE_SERVER_SERVER_PLAN_H_
#define ENGINE_SERVER_SERVER_PLAN_H_

// All that a move of all databases will do, found out before it does anything.

#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/check/check.h"
#include "engine/connect/connect.h"
#include "engine/server/connection_budget.h"
#include "engine/server/create_database.h"
#include "engine/server/globals_plan.h"
#include "engine/server/server_databases.h"
#include "engine/server/servers.h"
#include "engine/server/target_rights.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What earlier runs have done.
struct ServerProgress {
  bool globals = false;
  absl::flat_hash_set<std::string> tablespaces;  // Begun, at least.
  // DatabasesBegun.
  absl::flat_hash_set<std::string> begun;
  // Databases that the move's ledger names: it has looked at them before.
  absl::flat_hash_set<std::string> noted;
  // The target's settings are not what they were (engine/target/fast_target.h).
  bool fast_target = false;
  std::vector<std::string> steps;  // All of the whole's ledger.
};

absl::StatusOr<ServerProgress> ReadServerProgress(Ledger& ledger);

struct ServerPlan {
  TargetRights rights;
  // nullopt: none are wanted, or they are there.
  std::optional<GlobalsPlan> globals;
  // That it makes.
  absl::flat_hash_set<std::string> roles_to_come;
  absl::flat_hash_set<std::string> tablespaces_to_come;
  std::vector<ServerDatabase> wanted;  // Smallest first.
  DatabasesPlan databases;             // In the same order.
  // "postgres (is empty)".
  std::vector<std::string> left_out;
  // As many as there is work for.
  ServerJobs jobs;
  // Of globals, databases as such and connections.
  CheckReport check;
};

// `source` and `target` are any databases of theirs; `connector` reaches
// others. Changes nothing on either side. Does not look into the databases:
// CheckDatabases (engine/server/check_databases.h) does, and each one's own
// migration when it is begun.
absl::StatusOr<ServerPlan> PlanServer(const ServerMigrateOptions& options,
                                      const ServerProgress& progress,
                                      const Connector& connector,
                                      PgConnection& source,
                                      PgConnection& target);

// The plan's databases anew, once the plan's globals are there: a tablespace
// may have been skipped.
absl::StatusOr<DatabasesPlan> PlanDatabasesAgain(
    const ServerMigrateOptions& options, const ServerProgress& progress,
    const ServerPlan& plan, PgConnection& target);

// The ids of the findings that are neither GlobalsFindingIds nor
// DatabaseFindingIds, in the order of the alphabet.
absl::Span<const absl::string_view> ServerFindingIds();

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_PLAN_H_
