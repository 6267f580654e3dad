#ifndef TOOLS_SERVER_PROGRESS_H_
#define TOOLS_SERVER_PROGRESS_H_

// The live lines at the bottom of a terminal while all databases of a server
// move: a line for the whole and a table with one for each database.

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "tools/rate_meter.h"
#include "tools/terminal_progress.h"

namespace walferry {

// Thread-safe: events come from the engine's threads, drawing from another.
class ServerProgressTable {
 public:
  explicit ServerProgressTable(std::function<absl::Time()> now)
      : now_(std::move(now)), began_(now_()) {}

  // As of a ServerEventSink.
  void OnEvent(absl::string_view database, const Event& event);

  // The lines as they are now, for Screen::ShowBlock: those at work first, then
  // what is done or has failed, as far as there is room. `note` is the last
  // line unless it is empty.
  std::vector<std::string> Render(TerminalSize size,
                                  absl::string_view note) const;

 private:
  enum class State { kWorking, kFailed, kDone };
  struct Row {
    std::string database;
    State state = State::kWorking;
    Phase phase = Phase::kCheck;
    int64_t items_done = 0;
    int64_t items_total = 0;
    int64_t bytes = 0;
    int64_t bytes_total = 0;
    int64_t lag_bytes = -1;  // -1: it does not follow.
    RateMeter rate;
    absl::Time began;
    absl::Time ended;
  };

  Row& RowOf(absl::string_view database) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string RenderWhole(size_t columns) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<const Row*> InOrderOfInterest() const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<absl::Time()> now_;
  const absl::Time began_;
  mutable absl::Mutex mutex_;
  // Of the whole.
  Phase phase_ ABSL_GUARDED_BY(mutex_) = Phase::kCheck;
  int64_t databases_done_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t databases_total_ ABSL_GUARDED_BY(mutex_) = 0;
  // In the order in which they were begun.
  std::vector<Row> rows_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // TOOLS_SERVER_PROGRESS_H_
