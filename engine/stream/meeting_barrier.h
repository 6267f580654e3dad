#ifndef ENGINE_STREAM_MEETING_BARRIER_H_
#define ENGINE_STREAM_MEETING_BARRIER_H_

// A place in a stream at which its appliers stand: all before it is committed
// on the target, and nothing behind it.

#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "protocol/lsn.h"

namespace walferry {

// Thread-safe.
class MeetingBarrier {
 public:
  // It is lifted by itself when the appliers have stood for `limit`.
  explicit MeetingBarrier(absl::Duration limit) : limit_(limit) {}

  // The applier whose turn it is: the target is at `applied`. Returns when it
  // is lifted.
  void Stand(Lsn applied);

  // Whoever stands goes on, and whoever comes does not stop. Fine to call
  // again.
  void Lift();

  // Waits until somebody stands: where the target is then. nullopt: not by the
  // deadline, or it is lifted.
  std::optional<Lsn> AwaitStanding(absl::Time deadline) const;

  bool lifted() const;
  // It was lifted because the limit was over.
  bool overdue() const;
  // How long somebody has stood.
  absl::Duration stood() const;

 private:
  const absl::Duration limit_;
  mutable absl::Mutex mutex_;
  bool lifted_ ABSL_GUARDED_BY(mutex_) = false;
  bool overdue_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<Lsn> applied_ ABSL_GUARDED_BY(mutex_);
  absl::Time since_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Time> until_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_STREAM_MEETING_BARRIER_H_
