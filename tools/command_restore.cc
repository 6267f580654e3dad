#include "tools/archive_binding.h"
#include "tools/archive_run.h"
#include "tools/archive_text.h"
#include "tools/command.h"
#include "tools/confirm_drop.h"

namespace walferry {

CommandOutcome RunRestoreCommand(const CommandContext& context) {
  const absl::StatusOr<RestoreOptions> options = BindRestore(context.values);
  if (!options.ok()) return FailUsage(options.status());
  if (options->drop_target_first) {
    const absl::Status confirmed = ConfirmDrop(context, options->target);
    if (!confirmed.ok()) return NotConfirmed(confirmed);
  }
  absl::StatusOr<RestoreReport> report =
      absl::InternalError("the restore did not end");
  RunOnArchive(context, "stopping; what is restored by now stays",
               [&](Control& control, EventSink& events) {
                 report = context.engine.restore(*options, control, events);
               });
  // Nothing goes on from where a restore has stopped.
  if (!report.ok()) return {ExitCode::kFailed, report.status()};
  CommandOutcome outcome = FinishWith(context, RestoreText(*options, *report));
  if (!outcome.error.ok() || report->errors.empty()) return outcome;
  return {ExitCode::kDifferences, IncompleteRestore(report->errors)};
}

}  // namespace walferry
