#include "engine/server/carry_out_globals.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "engine/server/globals.h"
#include "engine/server/tablespace_plan.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A server writes statements to its log and shows those that run, and verifiers
// are in some of them. Only a superuser may tell it not to.
constexpr char kTellNobody[] =
    "SET log_statement = 'none'; "
    "SET log_min_error_statement = 'panic'; "
    "SET log_min_duration_statement = -1; "
    "SET log_duration = off; "
    "SET log_min_duration_sample = -1; "
    "SET log_transaction_sample_rate = 0; "
    "SET track_activities = off; "
    "SET pg_stat_statements.track_utility = off";

// The session is used for other things, and others look at what it does.
constexpr char kTellAgain[] =
    "RESET log_statement; "
    "RESET log_min_error_statement; "
    "RESET log_min_duration_statement; "
    "RESET log_duration; "
    "RESET log_min_duration_sample; "
    "RESET log_transaction_sample_rate; "
    "RESET track_activities; "
    "RESET pg_stat_statements.track_utility";

void Tell(EventSink& events, Notice::Level level, std::string text) {
  events.OnEvent(Notice{.level = level, .text = std::move(text)});
}

absl::Status RunOne(PgConnection& target, const GlobalStatement& statement) {
  return Annotate(target.Exec(statement.sql).status(),
                  absl::StrCat("target: ", statement.subject));
}

absl::Status RunInTransaction(PgConnection& target,
                              const std::vector<GlobalStatement>& statements) {
  RETURN_IF_ERROR(target.Exec("BEGIN").status());
  absl::Status ran = absl::OkStatus();
  for (const GlobalStatement& statement : statements) {
    if (ran.ok()) ran = RunOne(target, statement);
  }
  if (ran.ok()) return target.Exec("COMMIT").status();
  if (!target.broken()) {
    RETURN_IF_ERROR(target.Exec("ROLLBACK").status());
  }
  return ran;
}

absl::Status RunAll(PgConnection& target,
                    const std::vector<GlobalStatement>& statements,
                    bool superuser) {
  if (statements.empty()) return absl::OkStatus();
  if (!superuser) return RunInTransaction(target, statements);
  // Whether a transaction is logged is decided when it begins.
  RETURN_IF_ERROR(target.Exec(kTellNobody).status());
  const absl::Status ran = RunInTransaction(target, statements);
  if (target.broken()) return ran;
  const absl::Status reset = target.Exec(kTellAgain).status();
  return ran.ok() ? reset : ran;
}

// A tablespace that cannot be made, say because the directory is another
// user's, is skipped with a warning like one whose directory is missing.
absl::StatusOr<bool> MakeTablespace(PgConnection& target,
                                    const TablespacePlan& tablespace,
                                    EventSink& events) {
  if (!tablespace.create.sql.empty()) {
    const absl::Status created = RunOne(target, tablespace.create);
    if (!created.ok()) {
      if (target.broken()) return created;
      Tell(events, Notice::Level::kWarning,
           absl::StrCat(created.message(), "; it is skipped"));
      return false;
    }
  }
  RETURN_IF_ERROR(RunAll(target, tablespace.properties, false));
  return true;
}

}  // namespace

absl::StatusOr<GlobalsPlan> ReadGlobalsPlan(PgConnection& source,
                                            PgConnection& target,
                                            const TargetRights& rights,
                                            const GlobalsPlanOptions& options) {
  ASSIGN_OR_RETURN(const Globals ours,
                   ReadGlobals(source, options.passwords ? Verifiers::kRead
                                                         : Verifiers::kLeave));
  ASSIGN_OR_RETURN(const Globals theirs,
                   ReadGlobals(target, Verifiers::kLeave));
  std::vector<std::string> locations;
  for (const ServerTablespace& tablespace : ours.tablespaces) {
    locations.push_back(TargetLocation(tablespace, options.tablespaces));
  }
  ASSIGN_OR_RETURN(const absl::flat_hash_set<std::string> directories,
                   ExistingDirectories(target, rights, locations));
  return PlanGlobals({.source = ours,
                      .target = theirs,
                      .rights = rights,
                      .existing_directories = directories},
                     options);
}

absl::Status CarryOutGlobals(PgConnection& target, const GlobalsPlan& plan,
                             bool superuser, EventSink& events,
                             GlobalsReport& report) {
  RETURN_IF_ERROR(RunAll(target, plan.statements, superuser));
  if (!plan.roles.empty()) {
    Tell(events, Notice::Level::kInfo,
         absl::StrCat(CountOf(static_cast<int64_t>(plan.roles.size()), "role"),
                      " created: ", NameSome(plan.roles)));
  }
  for (const TablespacePlan& tablespace : plan.tablespaces) {
    ASSIGN_OR_RETURN(const bool made,
                     MakeTablespace(target, tablespace, events));
    if (made) {
      report.tablespaces.push_back(tablespace.name);
      Tell(events, Notice::Level::kInfo,
           absl::StrCat("tablespace ", tablespace.name, " at ",
                        tablespace.location));
    } else {
      report.skipped_tablespaces.push_back(tablespace.name);
    }
  }
  return absl::OkStatus();
}

}  // namespace walferry
