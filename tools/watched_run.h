#ifndef TOOLS_WATCHED_RUN_H_
#define TOOLS_WATCHED_RUN_H_

// Work of the engine's in the foreground: signals steer it; the log, the live
// lines and --events tell of it.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "engine/event.h"
#include "tools/command.h"
#include "tools/event_json.h"

namespace walferry {

class EventFan;

class WatchedRun {
 public:
  // `context` outlives it. `first_phase`: of what is sent before any is told
  // of. kInvalidArgument: --events cannot be opened.
  static absl::StatusOr<std::unique_ptr<WatchedRun>> Open(
      const CommandContext& context, Phase first_phase);
  ~WatchedRun();

  // Calls `work` on a thread of its own and returns when it does. Its Failed
  // and Done go nowhere: how it ended, the caller says. `cutover_note`, logged
  // when the cutover is asked for; "": Ctrl+C stops the run, as `stop_note`
  // says.
  void Run(
      const std::string& cutover_note, const std::string& stop_note,
      const std::function<void(Control& control, EventSink& events)>& work);

  // The last event of the run.
  void EndWith(const Event& event);
  // The error that it ended with, in the phase that it was in.
  void EndWithError(const absl::Status& error);
  void EndWithComparison(const VerifyAccount& account);

 private:
  struct Parts;
  explicit WatchedRun(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

// A run's last act: writes its result, for people and not redacted, to the
// standard output; or, where that belongs to the events, in sight of whoever
// sits there.
CommandOutcome FinishRunWith(const CommandContext& context,
                             absl::string_view text);

}  // namespace walferry

#endif  // TOOLS_WATCHED_RUN_H_
