#include <string>

#include "absl/strings/str_cat.h"
#include "engine/check/check.h"
#include "tools/archive_binding.h"
#include "tools/command.h"
#include "tools/json_text.h"
#include "tools/online_proof.h"
#include "tools/option_binding.h"
#include "tools/signal_watch.h"
#include "tools/verify_step.h"

namespace walferry {

namespace {

struct Checked {
  std::vector<std::string> accept;
  // A usage error, or what came of it.
  absl::Status usage;
  absl::StatusOr<CheckReport> report = CheckReport();
};

Checked Check(const CommandContext& context) {
  Control control;
  Checked checked;
  if (context.values.Flag(OptionId::kAllDatabases)) {
    auto options = BindServerMigrate(context.values);
    if (!options.ok()) return {.usage = options.status()};
    // It takes connections.
    const absl::Status verify =
        BindServerVerify(context.values, context.engine, *options);
    if (!verify.ok()) return {.usage = verify};
    const auto proof =
        BindOnlineProof(context.values, context.engine, options->migrate);
    checked.accept = options->migrate.accept;
    const SignalWatch watch(control, InterruptMeaning::kStop);
    checked.report = context.engine.check_server(*options, control);
    return checked;
  }
  const auto options = BindCheck(context.values);
  if (!options.ok()) return {.usage = options.status()};
  const absl::Status by_archive =
      BindArchiveMigration(context.values, options->migrate).status();
  if (!by_archive.ok()) return {.usage = by_archive};
  checked.accept = options->migrate.accept;
  const SignalWatch watch(control, InterruptMeaning::kStop);
  checked.report = context.engine.check(*options, control);
  return checked;
}

}  // namespace

CommandOutcome RunCheckCommand(const CommandContext& context) {
  const Checked checked = Check(context);
  if (!checked.usage.ok()) return FailUsage(checked.usage);
  const absl::StatusOr<CheckReport>& report = checked.report;
  if (!report.ok()) return Fail(report.status());
  const std::vector<std::string>& accept = checked.accept;
  CommandOutcome outcome =
      context.values.Flag(OptionId::kJson)
          ? FinishWithRedacted(
                context,
                absl::StrCat(RedactJson(CheckReportToJson(*report, accept),
                                        context.redactor, 2),
                             "\n"))
          : FinishWith(context,
                       FormatCheckReport(*report, accept, context.color_out));
  if (outcome.error.ok() && !report->Blocking(accept).empty()) {
    outcome.code = ExitCode::kFailed;
  }
  return outcome;
}

}  // namespace walferry
