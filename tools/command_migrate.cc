#include "tools/command.h"
#include "tools/live_run.h"
#include "tools/option_binding.h"

namespace walferry {

CommandOutcome RunMigrateCommand(const CommandContext& context) {
  const absl::StatusOr<MigrateOptions> options = BindMigrate(context.values);
  if (!options.ok()) return FailUsage(options.status());
  return RunLive(context,
                 options->mode == MigrateMode::kOffline
                     ? ""
                     : "cutover requested: it begins once the target has "
                       "caught up; Ctrl+C again stops now",
                 [&](Control& control, EventSink& events) {
                   return context.engine.migrate(*options, control, events);
                 });
}

}  // namespace walferry
