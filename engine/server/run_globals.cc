// RunGlobals: the globals of one server to another.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/connect.h"
#include "engine/name_encoding.h"
#include "engine/name_some.h"
#include "engine/server/servers.h"
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

absl::StatusOr<GlobalsPlan> MakePlan(PgConnection& source, PgConnection& target,
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

absl::Status StopIfBlocked(const std::vector<Finding>& findings,
                           const std::vector<std::string>& accept) {
  const CheckReport report{.findings = findings};
  std::vector<std::string> texts;
  std::vector<std::string> acceptable;
  for (const Finding* finding : report.Blocking(accept)) {
    texts.push_back(absl::StrCat(finding->subject, ": ", finding->text));
    if (finding->acceptable) {
      acceptable.push_back(absl::StrCat("--accept ", finding->id));
    }
  }
  if (texts.empty()) return absl::OkStatus();
  std::sort(acceptable.begin(), acceptable.end());
  acceptable.erase(std::unique(acceptable.begin(), acceptable.end()),
                   acceptable.end());
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "globals: ", CountOf(static_cast<int64_t>(texts.size()), "finding"),
          texts.size() == 1 ? " blocks: " : " block: ",
          absl::StrJoin(texts, "; "))),
      acceptable.empty()
          ? "--dry-run shows all findings"
          : absl::StrCat("--dry-run shows all findings; to go on without: ",
                         absl::StrJoin(acceptable, " ")));
}

void Tell(EventSink& events, Notice::Level level, std::string text) {
  events.OnEvent(Notice{.level = level, .text = std::move(text)});
}

void TellWarnings(const std::vector<Finding>& findings, EventSink& events) {
  for (const Finding& finding : findings) {
    if (finding.severity < Severity::kWarning) continue;
    Tell(events, Notice::Level::kWarning,
         absl::StrCat(finding.subject, ": ", finding.text));
  }
}

absl::Status RunOne(PgConnection& target, const GlobalStatement& statement) {
  return Annotate(target.Exec(statement.sql).status(),
                  absl::StrCat("target: ", statement.subject));
}

absl::Status RunAll(PgConnection& target,
                    const std::vector<GlobalStatement>& statements,
                    bool superuser) {
  if (statements.empty()) return absl::OkStatus();
  // Whether a transaction is logged is decided when it begins.
  if (superuser) RETURN_IF_ERROR(target.Exec(kTellNobody).status());
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

absl::Status CarryOut(PgConnection& target, const GlobalsPlan& plan,
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

std::vector<std::string> ShownStatements(const GlobalsPlan& plan) {
  std::vector<std::string> shown;
  const auto add = [&](const GlobalStatement& statement) {
    if (!statement.shown.empty()) shown.push_back(statement.shown);
  };
  for (const GlobalStatement& statement : plan.statements) add(statement);
  for (const TablespacePlan& tablespace : plan.tablespaces) {
    add(tablespace.create);
    for (const GlobalStatement& statement : tablespace.properties) {
      add(statement);
    }
  }
  return shown;
}

}  // namespace

absl::StatusOr<GlobalsReport> RunGlobals(const GlobalsOptions& options,
                                         Control& control, EventSink& events) {
  const Connector connector{.endpoints = options.endpoints,
                            .interrupt = &control.interrupt()};
  ASSIGN_OR_RETURN(PgConnection source,
                   connector.OpenSource("globals", Contact::kFirst));
  ASSIGN_OR_RETURN(PgConnection target,
                   connector.OpenTarget("globals", Contact::kFirst));
  RETURN_IF_ERROR(SpeakNameEncoding(source, target));
  ASSIGN_OR_RETURN(const TargetRights rights, ReadTargetRights(target));
  ASSIGN_OR_RETURN(GlobalsPlan plan,
                   MakePlan(source, target, rights, options.plan));
  GlobalsReport report{.dry_run = options.dry_run,
                       .findings = plan.findings,
                       .statements = ShownStatements(plan),
                       .roles = plan.roles,
                       .roles_without_password = plan.roles_without_password,
                       .skipped_tablespaces = plan.skipped_tablespaces};
  if (options.dry_run) return report;
  RETURN_IF_ERROR(StopIfBlocked(plan.findings, options.accept));
  TellWarnings(plan.findings, events);
  RETURN_IF_ERROR(CarryOut(target, plan, rights.superuser, events, report));
  return report;
}

}  // namespace walferry
