#include "tools/live_run.h"

#include <memory>
#include <utility>

#include "protocol/status.h"
#include "tools/report_text.h"
#include "tools/watched_run.h"

namespace walferry {

CommandOutcome RunLive(const CommandContext& context,
                       const LiveRunOptions& options, const EngineRun& run) {
  const absl::StatusOr<std::unique_ptr<WatchedRun>> opened =
      WatchedRun::Open(context, options.first_phase);
  if (!opened.ok()) return FailUsage(opened.status());
  WatchedRun& watched = **opened;
  absl::StatusOr<Report> result = absl::InternalError("the run did not end");
  watched.Run(options.cutover_note,
              options.goes_on
                  ? "stopping; the same command goes on from here later"
                  : "stopping; what is on the target by now stays",
              [&](Control& control, EventSink& events) {
                result = run(control, events);
              });
  if (result.ok()) {
    const absl::Status shortfall =
        options.shortfall ? options.shortfall() : absl::OkStatus();
    if (shortfall.ok()) {
      watched.EndWith(Done{*result});
    } else {
      watched.EndWithError(shortfall);
    }
    CommandOutcome outcome = FinishRunWith(context, ReportText(*result));
    if (shortfall.ok() || outcome.code != ExitCode::kDone) return outcome;
    return {ExitCode::kDifferences, shortfall};
  }
  watched.EndWithError(result.status());
  CommandOutcome outcome = Fail(result.status());
  if (outcome.code == ExitCode::kResumable) {
    outcome.error = WithHint(std::move(outcome.error),
                             "the same command goes on where this one stopped");
  }
  return outcome;
}

}  // namespace walferry
