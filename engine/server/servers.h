#ifndef ENGINE_SERVER_SERVERS_H_
#define ENGINE_SERVER_SERVERS_H_

// What walferry does with servers as a whole, as functions like those of
// engine/migration/migration.h, with the same kinds of errors.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/check/check.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/server/database_comparison.h"
#include "engine/server/globals_plan.h"
#include "engine/server/server_databases.h"
#include "engine/server/server_events.h"
#include "engine/server/server_report.h"
#include "engine/server/server_status.h"

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

struct ServerMigrateOptions {
  // Of each database. Its endpoints name the servers, by any database:
  // the target's keeps the ledger of the whole (engine/server/server_ledger.h).
  MigrateOptions migrate;
  DatabaseScope databases;
  // Roles and tablespaces come first.
  bool globals = true;
  GlobalsPlanOptions globals_plan;
  // Of all databases (engine/catalog/delayed_tables.h); the scope of `migrate`
  // has none.
  std::vector<std::string> delay_table_data;
  // Databases that the target has are migrated into; otherwise they stop the
  // run, but for those that it has begun, and for postgres.
  bool use_existing = false;
  // See ServerJobs in engine/server/connection_budget.h.
  int max_parallel = 4;  // Online: that copy, and that build.
  int dump_parallel = 2;
  int restore_parallel = 2;
  // Offline each database is compared with its source when it is complete, at
  // most verify_concurrency at once; with delayed tables also before clients
  // are told, who are not if it differs. `verify` is what `compare` does, or
  // kOff, and `compare` empty: none is.
  CompareDatabase compare;
  VerifyMethod verify = VerifyMethod::kOff;
  int verify_concurrency = 2;
};

// Every database of a server: roles and tablespaces, then the databases,
// smallest first and several at once. Called again with the same name it goes
// on where the last run ended.
//
// Online all of them cut over together (engine/server/cutover_round.h), when
// the control says so, or whoever calls RunServerCutover, or with kAuto when
// all have caught up.
//
// One that fails does not stop the others: the report says what became of each,
// OutcomeOf() whether all is done, and ShortfallOf() what is done and differs
// from the source. An error means that no database was
// begun in this run: kFailedPrecondition, a finding blocks that is not accepted
// (nothing was made); kInvalidArgument, the options.
absl::StatusOr<ServerReport> RunServerMigration(
    const ServerMigrateOptions& options, Control& control,
    ServerEventSink& events);

// What RunServerMigration would find before it does anything, and what the
// migrations of its databases would find when they are begun, as far as that
// can be seen before their databases are on the target. Findings of one of
// several databases name it (Finding::database).
absl::StatusOr<CheckReport> RunServerCheck(const ServerMigrateOptions& options,
                                           Control& control);

// What the ledgers say of a move of all databases; nullopt: there is none of
// that name in the target's database.
absl::StatusOr<std::optional<ServerStatus>> RunServerStatus(
    const StatusOptions& options, Control& control);

// As RunCutover (engine/migration/migration.h), and of a move of all databases:
// all of them together. The report is their sum.
absl::StatusOr<Report> RunServerCutover(const CutoverOptions& options,
                                        Control& control, EventSink& events);

// As RunCleanup (engine/migration/migration.h), and of a move of all databases:
// in every one of them. Databases, roles and tablespaces stay.
absl::StatusOr<std::vector<std::string>> RunServerCleanup(
    const CleanupOptions& options, Control& control);

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVERS_H_
