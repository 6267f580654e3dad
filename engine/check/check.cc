#include "engine/check/check.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Whoever waits for a lock makes others wait behind it: not for long.
constexpr char kBegin[] =
    "BEGIN; SET LOCAL search_path = ''; SET LOCAL lock_timeout = '2s'";

bool IsInShare(const CheckStep& step, CheckShare share) {
  switch (share) {
    case CheckShare::kAll:
      return true;
    case CheckShare::kServers:
      return step.of == StepOf::kServers;
    case CheckShare::kDatabase:
      return step.of == StepOf::kDatabase;
  }
  return true;
}

std::vector<CheckStep> AllSteps(const MigrateOptions& options) {
  std::vector<CheckStep> all;
  for (const auto& steps :
       {ServerChecks(), ToolChecks(), SourceChecks(), CapacityChecks(),
        SourceRightsChecks(), ScopeChecks(), TableChecks(),
        DelayedTableChecks(), ObjectChecks(), TargetChecks(),
        TargetRoleChecks(), TargetNameChecks(), TargetContentChecks()}) {
    all.insert(all.end(), steps.begin(), steps.end());
  }
  if (options.scope.carries_schema()) return all;
  std::erase_if(all, [](const CheckStep& step) { return step.creating_only; });
  const std::vector<CheckStep> tables = TargetTableChecks();
  all.insert(all.end(), tables.begin(), tables.end());
  return all;
}

absl::Status Begin(PgConnection& connection) {
  return connection.Exec(kBegin).status();
}

// After a step that failed the transaction takes no more statements.
absl::Status BeginAnew(PgConnection& connection) {
  RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
  return Begin(connection);
}

absl::Status RunSteps(CheckContext& check) {
  const bool offline = check.options.mode == MigrateMode::kOffline;
  for (const CheckStep& step : AllSteps(check.options)) {
    if ((offline && step.online_only) ||
        (check.target_to_come && step.in_target) ||
        !IsInShare(step, check.share)) {
      continue;
    }
    const absl::Status looked = step.run(check);
    if (looked.ok()) continue;
    if (absl::IsCancelled(looked) || check.source.broken() ||
        check.target.broken()) {
      return Annotate(looked, absl::StrCat("check ", step.id));
    }
    check.findings.Acceptable(
        {step.id, "check",
         absl::StrCat("this could not be looked at: ", looked.message()),
         HintOf(looked)});
    RETURN_IF_ERROR(Annotate(BeginAnew(check.source), "source"));
    RETURN_IF_ERROR(Annotate(BeginAnew(check.target), "target"));
  }
  return absl::OkStatus();
}

absl::Status RunInTransactions(CheckContext& check) {
  RETURN_IF_ERROR(Annotate(Begin(check.source), "source"));
  RETURN_IF_ERROR(Annotate(Begin(check.target), "target"));
  RETURN_IF_ERROR(PrepareContext(check));
  return RunSteps(check);
}

}  // namespace

bool Accepts(const std::vector<std::string>& accept, absl::string_view id,
             absl::string_view subject) {
  return std::any_of(
      accept.begin(), accept.end(), [&](const std::string& accepted) {
        return accepted == id || accepted == absl::StrCat(id, ":", subject);
      });
}

absl::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kOk:
      return "ok";
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kBlocking:
      return "blocking";
  }
  return "unknown";
}

std::vector<const Finding*> CheckReport::Blocking(
    const std::vector<std::string>& accept) const {
  std::vector<const Finding*> blocking;
  for (const Finding& finding : findings) {
    if (finding.severity != Severity::kBlocking) continue;
    if (finding.acceptable && Accepts(accept, finding.id, finding.subject)) {
      continue;
    }
    blocking.push_back(&finding);
  }
  return blocking;
}

absl::StatusOr<CheckReport> Check(const MigrateOptions& options,
                                  const Catalog& catalog,
                                  const CheckInputs& inputs) {
  CheckContext check{.options = options,
                     .catalog = catalog,
                     .source = *inputs.source,
                     .target = *inputs.target,
                     .source_replication = inputs.source_replication,
                     .replication_error = inputs.replication_error,
                     .resuming = inputs.resuming,
                     .share = inputs.share,
                     .target_to_come = inputs.target_to_come,
                     .roles_to_come = inputs.roles_to_come,
                     .tablespaces_to_come = inputs.tablespaces_to_come};
  if (check.source.in_transaction() || check.target.in_transaction()) {
    return absl::InternalError("check: a connection is inside a transaction");
  }
  const absl::Status ran = RunInTransactions(check);
  for (PgConnection* const connection : {&check.source, &check.target}) {
    if (connection->broken() || !connection->in_transaction()) continue;
    RETURN_IF_ERROR(connection->Exec("ROLLBACK").status());
  }
  RETURN_IF_ERROR(ran);
  return CheckReport{.findings = check.findings.Take(),
                     .ladder = check.ladder,
                     .source_version = check.source.server_version(),
                     .target_version = check.target.server_version()};
}

absl::StatusOr<CheckReport> CheckOpeningWalsender(const MigrateOptions& options,
                                                  const Catalog& catalog,
                                                  const Connector& connector,
                                                  CheckInputs inputs) {
  absl::StatusOr<PgConnection> walsender = absl::UnavailableError("not asked");
  if (options.mode == MigrateMode::kOnline) {
    walsender = connector.OpenWalsender("");
    inputs.replication_error = walsender.status();
    if (walsender.ok()) inputs.source_replication = &*walsender;
  }
  return Check(options, catalog, inputs);
}

}  // namespace walferry
