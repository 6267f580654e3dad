#ifndef ENGINE_STREAM_BATCH_QUEUE_H_
#define ENGINE_STREAM_BATCH_QUEUE_H_

// What the reading thread hands to the applying threads.

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "apply/change_batch.h"
#include "engine/stream/meeting_barrier.h"
#include "protocol/lsn.h"

namespace walferry {

// A batch, or a position that is reached without one, or a barrier.
struct QueueItem {
  std::unique_ptr<ChangeBatch> batch;                 // May be null.
  Lsn advance;                                        // Then this is set, or
  std::shared_ptr<MeetingBarrier> barrier = nullptr;  // this.
};

// Thread-safe. Bounded by its user: the reader asks HasRoom() before it reads
// on, and never blocks in Push().
class BatchQueue {
 public:
  // `appliers` is how many items may be popped and unfinished at once.
  explicit BatchQueue(size_t appliers = 1) : appliers_(appliers) {}

  // Nothing waits for an applier. More than one would only take memory.
  bool HasRoom() const;
  // Waits for room, but not beyond `deadline`.
  void WaitForRoom(absl::Time deadline) const;
  void Push(QueueItem item);

  // Nothing is queued and nothing popped is unfinished.
  bool Idle() const;
  // Nothing is queued, and an applier has nothing to do.
  bool Wanted() const;

  // The commit time (pg_time.h) of the oldest transaction that is queued or
  // being applied; nullopt if there is none.
  std::optional<int64_t> OldestCommitTime() const;

  // The next item, waiting for one; nullopt once closed (what is still queued
  // then is dropped: it is not committed, so it is sent again).
  std::optional<QueueItem> Pop();
  // The oldest of the popped items is done with.
  void Finished();

  void Close();

 private:
  bool HasRoomNow() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return items_.empty() || closed_;
  }

  const size_t appliers_;
  mutable absl::Mutex mutex_;
  std::deque<QueueItem> items_ ABSL_GUARDED_BY(mutex_);
  // The first commit time of each item that is popped and unfinished.
  std::deque<std::optional<int64_t>> popped_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_BATCH_QUEUE_H_
