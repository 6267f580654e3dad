#include <memory>

#include "engine/server/servers.h"
#include "tools/command.h"
#include "tools/event_log.h"
#include "tools/globals_text.h"
#include "tools/log.h"
#include "tools/option_binding.h"
#include "tools/signal_watch.h"

namespace walferry {

CommandOutcome RunGlobalsCommand(const CommandContext& context) {
  const absl::StatusOr<GlobalsOptions> options = BindGlobals(context.values);
  if (!options.ok()) return FailUsage(options.status());
  const std::shared_ptr<spdlog::logger> logger =
      CreateLogger(context.log, context.screen, context.redactor);
  EventLog log(*logger, /*log_progress=*/true, context.now);
  Control control;
  const absl::StatusOr<GlobalsReport> report = [&] {
    const SignalWatch watch(control, InterruptMeaning::kStop);
    return context.engine.globals(*options, control, log);
  }();
  if (!report.ok()) return Fail(report.status());
  return FinishWith(context, GlobalsText(*report));
}

}  // namespace walferry
