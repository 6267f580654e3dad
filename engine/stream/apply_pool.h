#ifndef ENGINE_STREAM_APPLY_POOL_H_
#define ENGINE_STREAM_APPLY_POOL_H_

// The applying threads of a stream: each takes batches from the queue and
// applies them through a session of its own; they commit in source order.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "apply/applier.h"
#include "engine/stream/batch_queue.h"
#include "engine/stream/commit_order.h"
#include "engine/stream/stream_state.h"
#include "protocol/lsn.h"

namespace walferry {

// Positions, counts and the queue's Finished() move with the commits, so in
// source order. A large transaction, which comes in several batches, is applied
// by one thread, and nobody takes what is behind it before its last batch is
// taken. At a barrier whose turn it is stands still: then all before it is
// committed, and nothing behind it is begun, so that no session of ours is in
// the way of who writes meanwhile.
class ApplyPool {
 public:
  struct Context {
    BatchQueue& queue;
    StreamState& state;
    // Everything before it is applied: the end.
    std::optional<Lsn> until;
    // Called by one of the threads: the first error with the change that it is
    // about, if it is about one, or OK at `until`. May call Close().
    std::function<void(const absl::Status&, const std::optional<Conflict>&)>
        on_end;
  };

  // At least one. What the context refers to outlives the pool.
  ApplyPool(std::vector<std::unique_ptr<AheadApplier>> appliers,
            Context context);
  // Ends the threads as Close() and Join() do.
  ~ApplyPool();

  void Start();

  // The batch that is being committed is committed; the others are given up.
  // The queue must be closed, too. Thread-safe.
  void Close() { order_.Close(); }
  void Join();

 private:
  struct Taken {
    QueueItem item;
    uint64_t number = 0;  // Of order_.
    bool open() const { return item.batch != nullptr && item.batch->open(); }
  };

  void Work(AheadApplier& applier);
  bool TakeAndApply(AheadApplier& applier);
  std::optional<Taken> Take(AheadApplier& applier)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(taking_);
  // False: this thread ends.
  bool Apply(AheadApplier& applier, const Taken& taken);
  bool AwaitTurn(AheadApplier& applier, const Taken& taken);
  absl::Status ApplyItem(AheadApplier& applier, const QueueItem& item);

  const std::vector<std::unique_ptr<AheadApplier>> appliers_;
  const Context context_;
  // Held by the one who takes an item, so that numbers and keys are in order.
  absl::Mutex taking_;
  CommitOrder order_;
  // The target's process of the session whose turn it is; 0: none.
  std::atomic<int> committing_pid_ = 0;
  // Taken, and not passed.
  std::atomic<int> barriers_ = 0;
  // Of the batches of a transaction that has not come to its end. Belongs to
  // whose turn it is.
  ApplyCounts uncommitted_;
  std::vector<std::thread> threads_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_APPLY_POOL_H_
