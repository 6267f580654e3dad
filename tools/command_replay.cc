#include "tools/command.h"
#include "tools/option_binding.h"
#include "tools/report_text.h"
#include "tools/signal_watch.h"

namespace walferry {

CommandOutcome RunReplayCommand(const CommandContext& context) {
  const absl::StatusOr<ReplayOptions> options = BindReplay(context.values);
  if (!options.ok()) return FailUsage(options.status());
  Control control;
  const absl::StatusOr<ReplayReport> report = [&] {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    return context.engine.replay(*options, control);
  }();
  if (!report.ok()) return Fail(report.status());
  return FinishWith(context, ReplayText(*options, *report));
}

}  // namespace walferry
