#include "engine/server/server_plan.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/check/check_findings.h"
#include "engine/connect/retry_policy.h"
#include "engine/name_pattern.h"
#include "engine/server/carry_out_globals.h"
#include "engine/server/replication_budget.h"
#include "engine/server/server_ledger.h"
#include "engine/server/target_databases.h"
#include "engine/server/unused_database.h"
#include "engine/target/fast_target.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kIds[] = {
    "database-check",    "database-connect", "database-ledger",
    "database-left-out", "database-none",    "server-connections",
    "server-durability", "server-senders",   "server-slots",
    "server-space",      "server-wal-level",
};

void Append(std::vector<Finding> findings, CheckReport& report) {
  for (Finding& finding : findings) {
    report.findings.push_back(std::move(finding));
  }
}

absl::StatusOr<bool> IsUnusedOnSource(const Connector& connector,
                                      PgConnection& source,
                                      const std::string& database) {
  if (source.dbname() == database) return IsUnused(source);
  Connector other = connector;
  ASSIGN_OR_RETURN(other.endpoints,
                   DatabaseEndpoints(connector.endpoints, database));
  ASSIGN_OR_RETURN(PgConnection session, other.OpenSource("check"));
  return IsUnused(session);
}

// What ALTER DATABASE, GRANT and COMMENT have made of it since initdb.
bool HasOwnProperties(const ServerDatabase& database) {
  return database.privileges.has_value() || !database.settings.empty() ||
         database.connection_limit != -1 ||
         (!database.comment.empty() && database.comment != kMaintenanceComment);
}

// The target has one, too: there is nothing to bring.
absl::Status LeaveOutUnused(const Connector& connector, PgConnection& source,
                            ServerDatabases& found) {
  for (auto database = found.databases.begin();
       database != found.databases.end(); ++database) {
    if (database->name != kMaintenanceDatabase || !database->may_connect) {
      continue;
    }
    if (HasOwnProperties(*database)) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool unused,
                     IsUnusedOnSource(connector, source, database->name));
    if (!unused) return absl::OkStatus();
    found.left_out.push_back(absl::StrCat(database->name, " (is empty)"));
    found.databases.erase(database);
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

// No server is without it, and what somebody has put there for the databases
// to come stays behind.
absl::Status CheckTemplate(const DatabaseScope& scope,
                           const Connector& connector, PgConnection& source,
                           FindingList& findings) {
  const std::string name(kTemplateDatabase);
  if (!scope.databases.empty() || MatchesAny(scope.exclude_databases, name)) {
    return absl::OkStatus();
  }
  const absl::StatusOr<bool> unused = IsUnusedOnSource(connector, source, name);
  if (absl::IsCancelled(unused.status())) return unused.status();
  const std::string subject = absl::StrCat("database ", name);
  if (!unused.ok()) {
    findings.Warning(
        {"database-left-out", subject,
         absl::StrCat("is not moved, and whether somebody has created anything "
                      "in it could not be seen: ",
                      unused.status().message()),
         ""});
  } else if (!*unused) {
    findings.Warning({"database-left-out", subject,
                      "is a template, and what somebody has created in it is "
                      "not moved",
                      "create it in the target's by hand"});
  }
  return absl::OkStatus();
}

std::vector<Finding> CheckSource(const std::vector<ServerDatabase>& wanted,
                                 const std::string& role) {
  FindingList findings;
  for (const ServerDatabase& database : wanted) {
    if (database.may_connect) continue;
    findings.Blocking(
        {"database-connect", absl::StrCat("database ", database.name),
         absl::StrCat("role ", role, " may not connect to it on the source"),
         absl::StrCat("GRANT CONNECT ON DATABASE ",
                      QuoteIdentifier(database.name), " TO ",
                      QuoteIdentifier(role),
                      ", or leave it out with --exclude-database")});
  }
  if (wanted.empty()) {
    findings.Blocking({"database-none", "source", "no database is to be moved",
                       "look at --database and --exclude-database"});
  }
  return findings.Take();
}

absl::StatusOr<bool> HasLedger(const Endpoints& whole,
                               const Connector& connector,
                               const std::string& database) {
  Connector other = connector;
  ASSIGN_OR_RETURN(other.endpoints, DatabaseEndpoints(whole, database));
  ASSIGN_OR_RETURN(PgConnection target, other.OpenTarget("check"));
  return Ledger(target,
                {.schema = whole.ledger_schema, .migration = whole.name})
      .Exists();
}

// What a migration of one database has done there under the same name would be
// taken for what this move has done, and rows of another day for today's.
absl::Status CheckLedgers(const ServerMigrateOptions& options,
                          const ServerProgress& progress,
                          const Connector& connector,
                          const std::vector<ServerDatabase>& wanted,
                          const TargetDatabases& target,
                          FindingList& findings) {
  const Endpoints& whole = options.migrate.endpoints;
  for (const ServerDatabase& database : wanted) {
    if (!target.databases.contains(database.name) ||
        progress.noted.contains(database.name)) {
      continue;
    }
    const std::string subject = absl::StrCat("database ", database.name);
    const absl::StatusOr<bool> has = HasLedger(whole, connector, database.name);
    if (absl::IsCancelled(has.status()) || IsRetriable(has.status())) {
      return Annotate(has.status(), subject);
    }
    if (!has.ok()) {
      findings.Blocking({"database-check", subject,
                         absl::StrCat("the target's could not be looked into: ",
                                      has.status().message()),
                         HintOf(has.status())});
      continue;
    }
    if (!*has) continue;
    findings.Blocking(
        {"database-ledger", subject,
         absl::StrCat("the target's has the ledger of a migration ", whole.name,
                      " that this move has not begun"),
         absl::StrCat("choose another --name, or forget that migration: "
                      "`walferry cleanup --name ",
                      whole.name, "` with a --target that names database ",
                      database.name)});
  }
  return absl::OkStatus();
}

absl::Status CheckRoom(Side side, const ServerJobs& jobs,
                       PgConnection& connection, FindingList& findings) {
  ASSIGN_OR_RETURN(const ConnectionRoom room, ReadConnectionRoom(connection));
  const absl::Status enough = CheckConnectionRoom(side, jobs, room);
  if (enough.ok()) return absl::OkStatus();
  findings.Blocking({"server-connections",
                     side == Side::kSource ? "source" : "target",
                     std::string(enough.message()), HintOf(enough)});
  return absl::OkStatus();
}

// What this move has turned off itself it turns on again.
absl::Status CheckDurability(const ServerMigrateOptions& options,
                             const ServerProgress& progress,
                             PgConnection& target, FindingList& findings) {
  if (options.migrate.fast_target || progress.fast_target) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::string unsafe, UnsafeSettings(target));
  if (unsafe.empty()) return absl::OkStatus();
  findings.Warning({"server-durability", "target",
                    absl::StrCat(unsafe, kUnsafeSettingsText),
                    kUnsafeSettingsHint});
  return absl::OkStatus();
}

// Of databases that the role may not connect to it may not know.
absl::Status TellSpace(const std::vector<ServerDatabase>& wanted,
                       PgConnection& source, FindingList& findings) {
  int64_t bytes = 0;
  bool all_known = true;
  for (const ServerDatabase& database : wanted) {
    all_known = all_known && database.bytes >= 0;
    bytes += std::max(database.bytes, int64_t{0});
  }
  ASSIGN_OR_RETURN(const std::string size,
                   source.QueryValue(absl::StrCat("SELECT pg_size_pretty(",
                                                  bytes, "::int8)")));
  findings.Info(
      {"server-space", "target",
       absl::StrCat("the databases take ", all_known ? "" : "more than ", size,
                    " on the source; the target's free space cannot be asked "
                    "for by SQL"),
       "have a third more than that, and room for the target's own log"});
  return absl::OkStatus();
}

CreateDatabaseOptions CreationOptions(const ServerMigrateOptions& options,
                                      const ServerProgress& progress) {
  CreateDatabaseOptions creation{.no_owner = options.migrate.no_owner,
                                 .no_acl = options.migrate.no_acl,
                                 .use_existing = options.use_existing,
                                 .begun = progress.begun};
  // No server is without it, and what the source has in its own one belongs
  // there.
  creation.begun.emplace(kMaintenanceDatabase);
  return creation;
}

// Like --database: one that matches nothing is most likely misspelt.
absl::Status CheckDelayedDatabases(const std::vector<std::string>& patterns,
                                   const std::vector<ServerDatabase>& wanted) {
  for (const std::string& pattern : patterns) {
    const std::string of = DatabaseOfDelayPattern(pattern);
    const bool matches =
        absl::c_any_of(wanted, [&](const ServerDatabase& database) {
          return MatchesPattern(of, database.name);
        });
    if (matches) continue;
    return WithHint(
        absl::NotFoundError(absl::StrCat(
            "source: no database that is moved matches --delay-table-data ",
            pattern)),
        "it is DB.TABLE or DB.SCHEMA.TABLE, and the first dot divides");
  }
  return absl::OkStatus();
}

// Those that earlier runs have not brought to their end.
absl::StatusOr<std::vector<std::string>> SlotsToHold(
    const ServerMigrateOptions& options, const ServerProgress& progress,
    const std::vector<ServerDatabase>& wanted, PgConnection& target) {
  std::vector<std::string> slots;
  for (const ServerDatabase& database : wanted) {
    ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, database.name));
    if (absl::c_linear_search(progress.steps,
                              PropertiesStep(oid, database.name))) {
      continue;
    }
    slots.push_back(
        DatabaseSlotName(options.migrate.endpoints.name, database.oid));
  }
  return slots;
}

// All databases are followed at once in the end, however few are copied at a
// time.
absl::Status CheckReplication(const ServerMigrateOptions& options,
                              const ServerProgress& progress,
                              const std::vector<ServerDatabase>& wanted,
                              const ServerJobs& jobs, PgConnection& source,
                              PgConnection& target, FindingList& findings) {
  if (options.migrate.mode == MigrateMode::kOffline) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::vector<std::string> slots,
                   SlotsToHold(options, progress, wanted, target));
  ASSIGN_OR_RETURN(const ReplicationRoom room,
                   ReadReplicationRoom(source, slots));
  const auto needed = static_cast<int>(slots.size());
  if (const absl::Status wal = CheckWalLevel(room); !wal.ok()) {
    findings.Blocking({"server-wal-level", "source", std::string(wal.message()),
                       HintOf(wal)});
  }
  const absl::Status enough = CheckSlots(room, needed, jobs.dump_parallel);
  if (!enough.ok()) {
    findings.Blocking({"server-slots", "source", std::string(enough.message()),
                       HintOf(enough)});
  }
  const absl::Status senders = CheckSenders(room, needed, jobs.dump_parallel);
  if (!senders.ok()) {
    findings.Blocking({"server-senders", "source",
                       std::string(senders.message()), HintOf(senders)});
  }
  return absl::OkStatus();
}

ServerJobs JobsFor(const ServerMigrateOptions& options, size_t databases) {
  const bool online = options.migrate.mode == MigrateMode::kOnline;
  const auto at_once = [&](int limit) {
    return std::max(1, std::min(limit, static_cast<int>(databases)));
  };
  const auto of_them = [&](int limit) {
    return at_once(online ? std::min(limit, options.max_parallel) : limit);
  };
  const bool compares = online ? options.migrate.proof != nullptr
                               : options.verify != VerifyMethod::kOff;
  return {.max_parallel = online ? std::max(1, static_cast<int>(databases))
                                 : at_once(options.max_parallel),
          .dump_parallel = of_them(options.dump_parallel),
          .restore_parallel = of_them(options.restore_parallel),
          .verify_parallel = compares ? of_them(options.verify_concurrency) : 0,
          .jobs = options.migrate.jobs,
          .index_jobs = options.migrate.index_jobs,
          .keep_snapshots = !options.delay_table_data.empty(),
          .fast_target = options.migrate.fast_target,
          .online = online,
          .apply_jobs = options.migrate.stream.apply_jobs};
}

}  // namespace

absl::StatusOr<ServerProgress> ReadServerProgress(Ledger& ledger) {
  ServerProgress progress;
  ASSIGN_OR_RETURN(progress.steps, ledger.StepsDone());
  progress.globals = absl::c_linear_search(progress.steps, kGlobalsStep);
  ASSIGN_OR_RETURN(progress.begun, DatabasesBegun(ledger));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
  for (const LedgerObject& object : objects) {
    if (object.kind == kTablespaceKind) {
      progress.tablespaces.insert(object.identity);
    }
  }
  progress.fast_target = HasFastTargetNotes(objects);
  ASSIGN_OR_RETURN(const std::vector<NotedDatabase> noted,
                   NotedDatabases(ledger));
  for (const NotedDatabase& database : noted) {
    progress.noted.insert(database.name);
  }
  return progress;
}

absl::StatusOr<ServerPlan> PlanServer(const ServerMigrateOptions& options,
                                      const ServerProgress& progress,
                                      const Connector& connector,
                                      PgConnection& source,
                                      PgConnection& target) {
  ServerPlan plan;
  plan.check.source_version = source.server_version();
  plan.check.target_version = target.server_version();
  ASSIGN_OR_RETURN(plan.rights, ReadTargetRights(target));
  CreateDatabaseOptions creation = CreationOptions(options, progress);
  if (options.globals && !progress.globals) {
    GlobalsPlanOptions globals = options.globals_plan;
    globals.tablespaces_begun = progress.tablespaces;
    ASSIGN_OR_RETURN(plan.globals,
                     ReadGlobalsPlan(source, target, plan.rights, globals));
    plan.roles_to_come.insert(plan.globals->roles.begin(),
                              plan.globals->roles.end());
    for (const TablespacePlan& tablespace : plan.globals->tablespaces) {
      plan.tablespaces_to_come.insert(tablespace.name);
    }
    creation.roles_to_come = plan.roles_to_come;
    creation.tablespaces_to_come = plan.tablespaces_to_come;
    Append(plan.globals->findings, plan.check);
  }
  ASSIGN_OR_RETURN(ServerDatabases found,
                   ReadServerDatabases(source, options.databases));
  RETURN_IF_ERROR(LeaveOutUnused(connector, source, found));
  plan.wanted = std::move(found.databases);
  plan.left_out = std::move(found.left_out);
  RETURN_IF_ERROR(CheckDelayedDatabases(options.delay_table_data, plan.wanted));
  Append(std::move(found.findings), plan.check);
  Append(CheckSource(plan.wanted, source.user()), plan.check);
  ASSIGN_OR_RETURN(const TargetDatabases facts,
                   ReadTargetDatabases(target, plan.wanted));
  plan.databases = PlanDatabases(plan.wanted, facts, creation);
  Append(plan.databases.findings, plan.check);
  plan.jobs = JobsFor(options, plan.wanted.size());
  FindingList findings;
  RETURN_IF_ERROR(
      CheckTemplate(options.databases, connector, source, findings));
  RETURN_IF_ERROR(
      CheckLedgers(options, progress, connector, plan.wanted, facts, findings));
  RETURN_IF_ERROR(CheckReplication(options, progress, plan.wanted, plan.jobs,
                                   source, target, findings));
  RETURN_IF_ERROR(CheckRoom(Side::kSource, plan.jobs, source, findings));
  RETURN_IF_ERROR(CheckRoom(Side::kTarget, plan.jobs, target, findings));
  RETURN_IF_ERROR(CheckDurability(options, progress, target, findings));
  RETURN_IF_ERROR(TellSpace(plan.wanted, source, findings));
  Append(findings.Take(), plan.check);
  return plan;
}

absl::StatusOr<DatabasesPlan> PlanDatabasesAgain(
    const ServerMigrateOptions& options, const ServerProgress& progress,
    const ServerPlan& plan, PgConnection& target) {
  ASSIGN_OR_RETURN(const TargetDatabases facts,
                   ReadTargetDatabases(target, plan.wanted));
  return PlanDatabases(plan.wanted, facts, CreationOptions(options, progress));
}

absl::Span<const absl::string_view> ServerFindingIds() { return kIds; }

}  // namespace walferry
