// RunGlobals: the globals of one server to another.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/connect/connect.h"
#include "engine/connect/name_encoding.h"
#include "engine/name_some.h"
#include "engine/server/carry_out_globals.h"
#include "engine/server/servers.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status RefuseIfBlocked(const std::vector<Finding>& findings,
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

void TellFindings(const std::vector<Finding>& findings, EventSink& events) {
  for (const Finding& finding : findings) {
    if (finding.severity < Severity::kWarning) continue;
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning,
               .text = absl::StrCat(finding.subject, ": ", finding.text)});
  }
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
                   ReadGlobalsPlan(source, target, rights, options.plan));
  GlobalsReport report{.dry_run = options.dry_run,
                       .findings = plan.findings,
                       .statements = ShownStatements(plan),
                       .roles = plan.roles,
                       .roles_without_password = plan.roles_without_password,
                       .skipped_tablespaces = plan.skipped_tablespaces};
  if (options.dry_run) return report;
  RETURN_IF_ERROR(RefuseIfBlocked(plan.findings, options.accept));
  TellFindings(plan.findings, events);
  RETURN_IF_ERROR(
      CarryOutGlobals(target, plan, rights.superuser, events, report));
  return report;
}

}  // namespace walferry
