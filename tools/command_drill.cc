#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"
#include "tools/archive_binding.h"
#include "tools/archive_run.h"
#include "tools/checks_file.h"
#include "tools/command.h"
#include "tools/drill_report.h"

namespace walferry {
namespace {

// All that can be wrong with the command line and the files it names.
absl::StatusOr<DrillOptions> ReadOptions(const CommandContext& context) {
  ASSIGN_OR_RETURN(DrillOptions options, BindDrill(context.values));
  const std::string& checks = context.values.Text(OptionId::kChecks);
  if (!checks.empty()) {
    ASSIGN_OR_RETURN(options.checks, ReadChecksFile(checks));
  }
  const std::string& report = context.values.Text(OptionId::kReport);
  if (!report.empty()) RETURN_IF_ERROR(DrillReportFormOf(report).status());
  return options;
}

std::string ReportIn(DrillReportForm form, const DrillReport& report,
                     const Redactor& redactor) {
  switch (form) {
    case DrillReportForm::kText:
      return redactor.Redact(DrillText(report));
    case DrillReportForm::kJson:
      return DrillJson(report, redactor);
    case DrillReportForm::kHtml:
      return redactor.Redact(DrillHtml(report));
  }
  return "";
}

absl::Status WriteReport(const std::string& path, const DrillReport& report,
                         const Redactor& redactor) {
  ASSIGN_OR_RETURN(const DrillReportForm form, DrillReportFormOf(path));
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << ReportIn(form, report, redactor) << std::flush;
  if (file) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("cannot write --report ", path, ": ", std::strerror(errno)));
}

std::string FailedChecks(const DrillReport& report) {
  std::vector<std::string> names;
  for (const DrillCheck& check : report.checks) {
    if (check.outcome == DrillCheck::Outcome::kFailed) {
      names.push_back(absl::StrCat(check.name, " (", check.detail, ")"));
    }
  }
  return absl::StrCat("the drill failed: ", absl::StrJoin(names, "; "));
}

}  // namespace

CommandOutcome RunDrillCommand(const CommandContext& context) {
  const absl::StatusOr<DrillOptions> options = ReadOptions(context);
  if (!options.ok()) return FailUsage(options.status());
  absl::StatusOr<DrillReport> report =
      absl::InternalError("the drill did not end");
  RunOnArchive(context, "stopping; the scratch database is dropped",
               [&](Control& control, EventSink& events) {
                 report = context.engine.drill(*options, control, events);
               });
  if (!report.ok()) return Fail(report.status());
  const CommandOutcome outcome = FinishWith(context, DrillText(*report));
  if (!outcome.error.ok()) return outcome;
  if (const std::string& path = context.values.Text(OptionId::kReport);
      !path.empty()) {
    absl::Status written = WriteReport(path, *report, context.redactor);
    if (!written.ok()) return Fail(std::move(written));
  }
  if (report->passed()) return {};
  return {ExitCode::kDifferences,
          absl::FailedPreconditionError(FailedChecks(*report))};
}

}  // namespace walferry
