#include <string>

#include "absl/strings/str_cat.h"
#include "engine/check.h"
#include "tools/archive_binding.h"
#include "tools/command.h"
#include "tools/json_text.h"
#include "tools/option_binding.h"
#include "tools/signal_watch.h"

namespace walferry {

CommandOutcome RunCheckCommand(const CommandContext& context) {
  const absl::StatusOr<CheckOptions> options = BindCheck(context.values);
  if (!options.ok()) return FailUsage(options.status());
  if (const absl::Status by_archive =
          BindArchiveMigration(context.values, options->migrate).status();
      !by_archive.ok()) {
    return FailUsage(by_archive);
  }
  Control control;
  absl::StatusOr<CheckReport> report = [&] {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    return context.engine.check(*options, control);
  }();
  if (!report.ok()) return Fail(report.status());
  const std::vector<std::string>& accept = options->migrate.accept;
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
