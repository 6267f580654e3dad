#include "tools/command.h"
#include "tools/live_run.h"
#include "tools/option_binding.h"

namespace walferry {

CommandOutcome RunFollowCommand(const CommandContext& context) {
  const absl::StatusOr<FollowOptions> options = BindFollow(context.values);
  if (!options.ok()) return FailUsage(options.status());
  return RunLive(
      context,
      {.cutover_note = "ending once everything committed so far is applied; "
                       "Ctrl+C again stops now",
       .first_phase = Phase::kFollow},
      [&](Control& control, EventSink& events) {
        return context.engine.follow(*options, control, events);
      });
}

}  // namespace walferry
