#ifndef ENGINE_STREAM_MEETING_POINT_H_
#define ENGINE_STREAM_MEETING_POINT_H_

// Where a running stream is divided by a snapshot of its source: into the
// transactions that the snapshot sees and all others.
//
// A snapshot sees a transaction once its session has told the server's list of
// running ones that it has ended, a moment after its commit record was written.
// So two snapshots may see two transactions in either order, and only some
// snapshots divide the stream at one position. Whether one does is found out,
// and if not another one is taken:
//
//   1. The reading thread stands still. What it has taken so far must be
//      visible in the snapshot, which is taken then.
//   2. It goes on. Each transaction that comes is visible or not. A barrier is
//      put before the first that is not.
//   3. What comes behind the barrier must not be visible, up to a position in
//      the log from after the snapshot: all that it sees committed before.
//
// We chose this over a slot that exports its snapshot, which is of one position
// by itself: creating one waits for every transaction that runs on the source,
// three times, and all the while nothing could be applied.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/connect/xid_snapshot.h"
#include "engine/stream/meeting_barrier.h"
#include "engine/stream/taken_xids.h"
#include "protocol/lsn.h"
#include "protocol/pgoutput.h"

namespace walferry {

// Of one stream. Its reading thread calls the first part, whoever wants a
// meeting, one at a time, the second.
class MeetingPoint {
 public:
  // ---- The reading thread ----

  // It is to stand still: to take nothing before StandStill() has returned and
  // this is false.
  bool hold_wanted() const { return hold_wanted_.load(); }
  // Until the hold is over, but not beyond `deadline`.
  void StandStill(absl::Time deadline);

  // Of every transaction, before any of it is taken: whether the barrier has
  // its place before it.
  bool CutsBefore(const Begin& begin);
  // Nothing is half received, and all that committed before `complete` has
  // come: whether the barrier has its place here.
  bool CutsAt(Lsn complete);
  // The next transactions, or how far the log is, are waited for.
  bool sorting() const { return sorting_.load(); }
  std::shared_ptr<MeetingBarrier> barrier() const;

  // ---- Whoever wants a meeting ----

  // The reading thread stands still when this returns. kAborted: not by the
  // deadline, or appliers still stand at the barrier before; kUnavailable: the
  // stream has ended.
  absl::Status Hold(absl::Time deadline);
  // While it stands still. kAborted: something was taken that the snapshot
  // does not see; another one will, in a moment. kFailedPrecondition: one of
  // its transactions has run for so long that nobody knows.
  absl::Status CheckTaken(const XidSnapshot& snapshot) const;
  // Ends the hold. All that the snapshot sees committed before `end`.
  void Sort(XidSnapshot snapshot, Lsn end,
            std::shared_ptr<MeetingBarrier> barrier);
  // Whether the stream is divided; then at position(). kAborted: the snapshot
  // does not divide it, and the barrier is lifted; kDeadlineExceeded,
  // kUnavailable.
  absl::Status AwaitSorted(absl::Time deadline) const;
  // Transactions whose commit record starts before it are visible in the
  // snapshot, all others are not.
  Lsn position() const;
  // Whatever it is at: the stream goes on.
  void Abandon();

  // The stream ends. Thread-safe.
  void Close();

 private:
  enum class State { kNone, kSorting, kSorted, kOutOfOrder };

  void AbandonLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::atomic<bool> hold_wanted_ = false;
  std::atomic<bool> sorting_ = false;
  // The reading thread's, and while it stands still the other's.
  TakenXids taken_;

  mutable absl::Mutex mutex_;
  bool standing_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kNone;
  XidSnapshot snapshot_ ABSL_GUARDED_BY(mutex_);
  Lsn end_ ABSL_GUARDED_BY(mutex_);
  std::optional<Lsn> cut_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<MeetingBarrier> barrier_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_STREAM_MEETING_POINT_H_
