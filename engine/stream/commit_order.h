#ifndef ENGINE_STREAM_COMMIT_ORDER_H_
#define ENGINE_STREAM_COMMIT_ORDER_H_

// Whose turn it is to commit.

#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

namespace walferry {

// Numbers are drawn in source order, and called in that order. Thread-safe.
class CommitOrder {
 public:
  uint64_t Draw();

  enum class Turn {
    kMine,    // Until Pass().
    kNotYet,  // Not by the deadline.
    kNever,   // Closed.
  };
  // Does not wait if it need not.
  Turn Await(uint64_t number, absl::Time deadline) const;

  // Whose turn it is calls the next number.
  void Pass();

  // Nobody's turn comes any more. Whose turn it is, it remains.
  void Close();

 private:
  mutable absl::Mutex mutex_;
  uint64_t drawn_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t called_ ABSL_GUARDED_BY(mutex_) = 1;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_COMMIT_ORDER_H_
