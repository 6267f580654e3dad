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

struct LiveRunOptions {
  // Logged when the cutover is asked for; "": Ctrl+C stops the run.
  std::string cutover_note;
  // The phase of what is sent before any is told of.
  Phase first_phase = Phase::kCheck;
  // The same command goes on where this one was stopped.
  bool goes_on = true;
  // Asked of a run that came to its end: what it has done is less than was
  // asked for. That is the error that the events end with, and the exit code is
  // ExitCode::kDifferences. Null: it never is.
  std::function<absl::Status()> shortfall;
};

// `run` is called on a thread of its own. The events end with exactly one
// "error" or "done", made of what it returns, whatever it sends.
CommandOutcome RunLive(const CommandContext& context,
                       const LiveRunOptions& options, const EngineRun& run);

}  // namespace walferry

#endif  // TOOLS_LIVE_RUN_H_
