#ifndef TOOLS_TERMINAL_PROGRESS_H_
#define TOOLS_TERMINAL_PROGRESS_H_

// The live lines at the bottom of a terminal while a migration runs: a line
// for the phase, one for each table or step that is being worked on, or the
// lag.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "tools/rate_meter.h"

namespace walferry {

struct TerminalSize {
  size_t columns = 80;
  size_t rows = 24;
};

// Thread-safe: events come from the engine's threads, drawing from another.
class TerminalProgress : public EventSink {
 public:
  explicit TerminalProgress(std::function<absl::Time()> now)
      : now_(std::move(now)) {}

  void OnEvent(const Event& event) override;

  // The lines as they are now, for Screen::ShowBlock. `note` is shown as the
  // last line unless it is empty.
  std::vector<std::string> Render(TerminalSize size,
                                  absl::string_view note) const;

 private:
  std::vector<std::string> RenderProgress(const Progress& progress,
                                          TerminalSize size) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<std::string> RenderLag(const Lag& lag, TerminalSize size) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<absl::Time()> now_;
  mutable absl::Mutex mutex_;
  // What the current phase said last.
  std::optional<Progress> progress_ ABSL_GUARDED_BY(mutex_);
  std::optional<Lag> lag_ ABSL_GUARDED_BY(mutex_);
  RateMeter bytes_ ABSL_GUARDED_BY(mutex_);
  RateMeter changes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // TOOLS_TERMINAL_PROGRESS_H_
