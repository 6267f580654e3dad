#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tools/checks_file.h"
#include "tools/command.h"
#include "tools/confirm_drop.h"
#include "tools/confirm_repair.h"
#include "tools/report_file.h"
#include "tools/verify_account.h"
#include "tools/verify_binding.h"
#include "tools/verify_report.h"
#include "tools/watched_run.h"

namespace walferry {
namespace {

// All that can be wrong with the command line and the files it names.
absl::StatusOr<VerifyOptions> ReadOptions(const CommandContext& context) {
  ASSIGN_OR_RETURN(VerifyOptions options, BindVerify(context.values));
  const std::string& checks = context.values.Text(OptionId::kChecks);
  if (!checks.empty()) {
    ASSIGN_OR_RETURN(options.checks,
                     ReadChecksFile(checks, CheckUse::kCompared));
  }
  const std::string& report = context.values.Text(OptionId::kReport);
  if (!report.empty()) RETURN_IF_ERROR(ReportFormOf(report).status());
  return options;
}

int64_t MaxDifferences(const CommandContext& context) {
  return context.values.Integer(OptionId::kMaxDifferences);
}

std::string ReportIn(ReportForm form, const CommandContext& context,
                     const VerifyAccount& account) {
  switch (form) {
    case ReportForm::kText:
      return context.redactor.Redact(
          VerifyText(account, MaxDifferences(context)));
    case ReportForm::kJson:
      return VerifyJson(account, context.redactor);
    case ReportForm::kHtml:
      return VerifyHtml(account, context.redactor);
  }
  return "";
}

absl::Status WriteReport(const CommandContext& context,
                         const VerifyAccount& account) {
  return WriteReport(context, [&](ReportForm form) {
    return ReportIn(form, context, account);
  });
}

// Where nothing is known.
VerifyAccount NothingKnown(const CommandContext& context, absl::Time started,
                           VerifyMethod method, std::string trouble) {
  VerifyAccount account;
  account.report.method = method;
  account.report.started_at = started;
  account.report.elapsed = context.now() - started;
  account.trouble = std::move(trouble);
  return account;
}

// Also writes why nothing is known. `code` as of the error.
CommandOutcome NotCompared(const CommandContext& context, absl::Time started,
                           VerifyMethod method, ExitCode code,
                           absl::Status error) {
  return FailWithReport(
      code, std::move(error), [&](const std::string& trouble) {
        return WriteReport(context,
                           NothingKnown(context, started, method, trouble));
      });
}

// What comes after a run that was interrupted. Only of what is hashed something
// is worth noting for it.
absl::string_view WayOn(const VerifyOptions& options) {
  if (options.repair == RepairMode::kYes) {
    return "the same command compares again, and repairs what still differs";
  }
  if (options.method != VerifyMethod::kSample &&
      options.method != VerifyMethod::kChecksum) {
    return "the same command begins anew";
  }
  return options.resume ? "the same command goes on where this one stopped"
                        : "the same command without --restart goes on where "
                          "this one stopped";
}

absl::Status WithWayOn(absl::Status error, const VerifyOptions& options) {
  if (ExitCodeOf(error) != ExitCode::kResumable) return error;
  return WithHint(std::move(error), WayOn(options));
}

CommandOutcome Finish(const CommandContext& context,
                      const VerifyAccount& account) {
  if (context.values.Flag(OptionId::kJson)) {
    return FinishWithRedacted(context, VerifyJson(account, context.redactor));
  }
  return FinishRunWith(context, VerifyText(account, MaxDifferences(context)));
}

// A pattern that no table has, or a database without any, would otherwise prove
// that all is equal.
std::string TroubleOf(const VerifyOptions& options,
                      const VerifyReport& report) {
  const bool chosen =
      !options.scope.tables.empty() || !options.scope.schemas.empty();
  if (!report.tables.empty()) return "";
  if (chosen) return "no table matches --schema and --table";
  // As database postgres, which a move of all of them connects to.
  if (!report.checks.empty() || report.found_differences()) return "";
  return "neither side has a table, so nothing was proved: see that --source "
         "and --target name the databases that are meant";
}

}  // namespace

CommandOutcome RunVerifyCommand(const CommandContext& context) {
  const absl::Time started = context.now();
  const absl::StatusOr<VerifyOptions> options = ReadOptions(context);
  if (!options.ok()) {
    return NotCompared(context, started, VerifyMethod::kOff, ExitCode::kUsage,
                       options.status());
  }
  if (absl::Status sure = ConfirmRepair(context, options->endpoints.target);
      !sure.ok()) {
    return NotConfirmed(sure);
  }
  const absl::StatusOr<std::unique_ptr<WatchedRun>> watched =
      WatchedRun::Open(context, Phase::kVerify);
  if (!watched.ok()) {
    return NotCompared(context, started, options->method, ExitCode::kUsage,
                       watched.status());
  }
  // It stands there if we are killed, and shows now that it can be written.
  absl::Status written = WriteReport(
      context, NothingKnown(context, started, options->method,
                            "the comparison has not come to its end"));
  if (!written.ok()) return Fail(std::move(written));
  absl::StatusOr<VerifyReport> report =
      absl::InternalError("the comparison did not end");
  (*watched)->Run(
      /*cutover_note=*/"", absl::StrCat("stopping; ", WayOn(*options)),
      [&](Control& control, EventSink& events) {
        report = context.engine.verify(*options, control, events);
      });
  if (!report.ok()) {
    (*watched)->EndWithError(report.status());
    return NotCompared(context, started, options->method,
                       ExitCodeOf(report.status()),
                       WithWayOn(report.status(), *options));
  }
  const std::string trouble = TroubleOf(*options, *report);
  const VerifyAccount account = {*std::move(report), trouble};
  (*watched)->EndWithComparison(account);
  written = WriteReport(context, account);
  CommandOutcome outcome = Finish(context, account);
  if (!outcome.error.ok()) return outcome;
  if (!written.ok()) return Fail(std::move(written));
  switch (VerdictOf(account)) {
    case Verdict::kEqual:
      return {};
    case Verdict::kDifferent:
      return {ExitCode::kDifferences,
              absl::FailedPreconditionError(VerdictText(account))};
    case Verdict::kUnknown:
      break;
  }
  return {ExitCode::kFailed,
          absl::FailedPreconditionError(VerdictText(account))};
}

}  // namespace walferry
