#ifndef TOOLS_LIVE_RUN_H_
#define TOOLS_LIVE_RUN_H_

// Runs a migration in the foreground: signals steer it, the log, the live
// lines and --events tell of it, and its report ends it.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/report.h"
#include "tools/command.h"

namespace walferry {

using EngineRun =
    std::function<absl::StatusOr<Report>(Control& control, EventSink& events)>;

// `run` is called on a thread of its own. `cutover_note` is logged when the
// cutover is asked for; "": Ctrl+C stops the run. The events end with exactly
// one "error" or "done", made of what `run` returns, whatever it sends.
// `first_phase` is the phase of what it sends before it tells of one.
CommandOutcome RunLive(const CommandContext& context,
                       const std::string& cutover_note, const EngineRun& run,
                       Phase first_phase = Phase::kCheck);

}  // namespace walferry

#endif  // TOOLS_LIVE_RUN_H_
