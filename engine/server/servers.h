#ifndef ENGINE_SERVER_SERVERS_H_
#define ENGINE_SERVER_SERVERS_H_

// What walferry does with servers as a whole, as functions like those of
// engine/migration.h, with the same kinds of errors.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/check.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/server/globals_plan.h"

namespace walferry {

struct GlobalsOptions {
  // Any database of either server will do; the ledger is not used.
  Endpoints endpoints;
  GlobalsPlanOptions plan;
  // Ids of blocking findings that the operator accepts.
  std::vector<std::string> accept;
  // Only says what would be done.
  bool dry_run = false;
};

struct GlobalsReport {
  bool dry_run = false;
  std::vector<Finding> findings;
  // What was run, or would be, in this order; verifiers are ***.
  std::vector<std::string> statements;
  std::vector<std::string> roles;  // That were created.
  std::vector<std::string> roles_without_password;
  std::vector<std::string> tablespaces;  // That were made or altered.
  std::vector<std::string> skipped_tablespaces;
};

// Brings roles, memberships, settings and tablespaces of the source's server to
// the target's. Roles with all that is theirs in one transaction, so whoever is
// killed has made all of it or nothing; run again, it makes what is missing.
// `events` hears of warnings and of what is done. kFailedPrecondition: a
// finding blocks that is not accepted; nothing was made.
absl::StatusOr<GlobalsReport> RunGlobals(const GlobalsOptions& options,
                                         Control& control, EventSink& events);

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVERS_H_
