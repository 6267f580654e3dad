#ifndef ENGINE_BATCH_QUEUE_H_
#define ENGINE_BATCH_QUEUE_H_

// What the reading thread hands to the applying threads.

#include <deque>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "apply/change_batch.h"
#include "protocol/lsn.h"

namespace walferry {

// Either a batch, or a position that is reached without one.
struct QueueItem {
  std::unique_ptr<ChangeBatch> batch;  // May be null.
  Lsn advance;                         // Then this is set.
};

// Thread-safe. Bounded in bytes by its user: the reader asks HasRoom() before
// it reads on, and never blocks in Push().
class BatchQueue {
 public:
  // `appliers` is how many items may be popped and unfinished at once.
  explicit BatchQueue(size_t limit_bytes, size_t appliers = 1)
      : limit_bytes_(limit_bytes), appliers_(appliers) {}

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
  // What is kept of an item that is popped and unfinished.
  struct Popped {
    size_t bytes = 0;
    std::optional<int64_t> commit_time;  // The first one.
  };

  const size_t limit_bytes_;
  const size_t appliers_;
  mutable absl::Mutex mutex_;
  std::deque<QueueItem> items_ ABSL_GUARDED_BY(mutex_);
  std::deque<Popped> popped_ ABSL_GUARDED_BY(mutex_);
  size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // Of both.
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace walferry

#endif  // ENGINE_BATCH_QUEUE_H_
