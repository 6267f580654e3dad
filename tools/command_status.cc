#include "absl/strings/str_cat.h"
#include "tools/command.h"
#include "tools/option_binding.h"
#include "tools/report_text.h"
#include "tools/signal_watch.h"
#include "tools/status_json.h"

namespace walferry {

CommandOutcome RunStatusCommand(const CommandContext& context) {
  const absl::StatusOr<StatusOptions> options = BindStatus(context.values);
  if (!options.ok()) return FailUsage(options.status());
  Control control;
  const absl::StatusOr<MigrationStatus> status = [&] {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    return context.engine.status(*options, control);
  }();
  if (!status.ok()) return Fail(status.status());
  if (!context.values.Flag(OptionId::kJson)) {
    return FinishWith(context, StatusText(*status, context.now()));
  }
  return FinishWithRedacted(
      context, absl::StrCat(StatusToJson(*status, context.redactor), "\n"));
}

}  // namespace walferry
