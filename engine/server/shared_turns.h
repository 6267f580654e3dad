#ifndef ENGINE_SERVER_SHARED_TURNS_H_
#define ENGINE_SERVER_SHARED_TURNS_H_

// So many migrations may read at once, so many build, and so many be compared:
// whoever has waited longest comes next.

#include <array>
#include <cstdint>
#include <deque>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "engine/turns.h"

namespace walferry {

class SharedTurns : public Turns {
 public:
  // All at least 1.
  SharedTurns(int readers, int builders, int comparers);

  absl::Status Await(Work work, const Interrupt& interrupt) override;
  void GiveBack(Work work) override;

 private:
  struct Line {
    int free = 0;
    std::deque<uint64_t> waiting;  // Numbers, in the order of their drawing.
  };
  Line& LineOf(Work work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return lines_[static_cast<size_t>(work)];
  }

  absl::Mutex mutex_;
  uint64_t drawn_ ABSL_GUARDED_BY(mutex_) = 0;
  std::array<Line, 3> lines_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_SERVER_SHARED_TURNS_H_
