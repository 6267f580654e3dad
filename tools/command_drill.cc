#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "protocol/status.h"
#include "tools/archive_binding.h"
#include "tools/archive_run.h"
#include "tools/checks_file.h"
#include "tools/command.h"
#include "tools/drill_report.h"
#include "tools/report_file.h"

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
  if (!report.empty()) RETURN_IF_ERROR(ReportFormOf(report).status());
  return options;
}

std::string ReportIn(ReportForm form, const DrillReport& report,
                     const Redactor& redactor) {
  switch (form) {
    case ReportForm::kText:
      return redactor.Redact(DrillText(report));
    case ReportForm::kJson:
      return DrillJson(report, redactor);
    case ReportForm::kHtml:
      return redactor.Redact(DrillHtml(report));
  }
  return "";
}

absl::Status WriteReport(const CommandContext& context,
                         const DrillReport& report) {
  return WriteReport(context, [&](ReportForm form) {
    return ReportIn(form, report, context.redactor);
  });
}

// Where there is none of the drill itself.
DrillReport WithoutDrill(const CommandContext& context, absl::Time started,
                         std::string trouble) {
  const std::string& input = context.values.Text(OptionId::kInput);
  return {.subject = input.empty() ? "a fresh dump" : input,
          .started_at = started,
          .elapsed = context.now() - started,
          .trouble = std::move(trouble)};
}

// Also writes why there was no drill. `code` as of the error.
CommandOutcome NotHeld(const CommandContext& context, absl::Time started,
                       ExitCode code, absl::Status error) {
  return FailWithReport(
      code, std::move(error), [&](const std::string& trouble) {
        return WriteReport(context, WithoutDrill(context, started, trouble));
      });
}

std::string FailedChecks(const DrillReport& report) {
  std::vector<std::string> names;
  for (const DrillCheck& check : report.checks) {
    if (check.outcome == DrillCheck::Outcome::kFailed) {
      names.push_back(absl::StrCat(check.name, " (", check.detail, ")"));
    }
  }
  return absl::StrCat("the drill failed: ", absl::StrJoin(names, "; "),
                      report.trouble.empty() ? "" : "; ", report.trouble);
}

}  // namespace

CommandOutcome RunDrillCommand(const CommandContext& context) {
  const absl::Time started = context.now();
  const absl::StatusOr<DrillOptions> options = ReadOptions(context);
  if (!options.ok()) {
    return NotHeld(context, started, ExitCode::kUsage, options.status());
  }
  // It stands there if we are killed, and shows now that it can be written.
  absl::Status written = WriteReport(
      context, WithoutDrill(context, started, "it has not come to its end"));
  if (!written.ok()) return Fail(std::move(written));
  absl::StatusOr<DrillReport> report =
      absl::InternalError("the drill did not end");
  RunOnArchive(context, "stopping; the scratch database is dropped",
               [&](Control& control, EventSink& events) {
                 report = context.engine.drill(*options, control, events);
               });
  if (!report.ok()) {
    return NotHeld(context, started, ExitCodeOf(report.status()),
                   report.status());
  }
  written = WriteReport(context, *report);
  CommandOutcome outcome = FinishWith(context, DrillText(*report));
  if (!outcome.error.ok()) return outcome;
  if (!written.ok()) return Fail(std::move(written));
  if (report->passed()) return {};
  if (report->found_faults()) {
    return {ExitCode::kDifferences,
            absl::FailedPreconditionError(FailedChecks(*report))};
  }
  return {ExitCode::kFailed, absl::FailedPreconditionError(report->trouble)};
}

}  // namespace walferry
