#ifndef ENGINE_SERVER_CHECK_DATABASES_H_
#define ENGINE_SERVER_CHECK_DATABASES_H_

// A look into every database of a move of all of them, before it begins: with
// the checks that each one's migration makes when it is begun.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/check/check.h"
#include "engine/connect/connect.h"
#include "engine/server/server_plan.h"
#include "engine/server/servers.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Appends to `report` what is said of both servers and of this machine, and so
// of every database alike. `source` and `target` are any databases of theirs.
absl::Status CheckBothServers(const ServerMigrateOptions& options,
                              PgConnection& source, PgConnection& target,
                              CheckReport& report);

// Appends to the plan's report what is found in its databases, one after the
// other, each over sessions of its own; and sets what the target allows in all
// of them. Those that the target lacks are looked at over a session in the
// database of `connector`'s target. Those that are done, by their ledgers, and
// those that the role may not connect to, which the plan says, are not looked
// at.
//
// One that cannot be looked at is a finding, and no error, which is kCancelled.
absl::Status CheckDatabases(const ServerMigrateOptions& options,
                            const Connector& connector, ServerPlan& plan);

struct DatabaseFindings {
  std::string database;
  std::vector<Finding> findings;
};

// One list of those of several databases. First what all of them have alike,
// of no database; what is in order is told only then. Then what each has for
// itself, with its name; of one alone, all but what is in order.
std::vector<Finding> MergeFindings(std::vector<DatabaseFindings> databases);

}  // namespace walferry

#endif  // ENGINE_SERVER_CHECK_DATABASES_H_
