#ifndef ENGINE_STREAM_STREAM_STATE_H_
#define ENGINE_STREAM_STREAM_STATE_H_

// Where a running stream stands: written by its threads, read by anyone.

#include <atomic>
#include <cstdint>

#include "apply/applier.h"
#include "protocol/lsn.h"

namespace walferry {

// Thread-safe. Positions only grow.
class StreamState {
 public:
  explicit StreamState(Lsn start)
      : received_(start.value()), applied_(start.value()) {}

  // Everything before it has been received.
  Lsn received() const { return Lsn(received_.load()); }
  void SetReceived(Lsn lsn) { Raise(received_, lsn); }

  // Everything before it is durable on the target, and the target knows so:
  // what may be reported to the source as flushed.
  Lsn applied() const { return Lsn(applied_.load()); }
  void SetApplied(Lsn lsn) { Raise(applied_, lsn); }

  // The reader hurries to bring applied() to this position, also when the
  // source is idle.
  Lsn drain_to() const { return Lsn(drain_to_.load()); }
  void DrainTo(Lsn lsn) { Raise(drain_to_, lsn); }

  // Applied by this stream since it was started.
  void Add(const ApplyCounts& counts) {
    inserts_ += counts.inserts;
    updates_ += counts.updates;
    deletes_ += counts.deletes;
    truncates_ += counts.truncates;
    transactions_ += counts.transactions;
  }
  ApplyCounts counts() const {
    return {.inserts = inserts_,
            .updates = updates_,
            .deletes = deletes_,
            .truncates = truncates_,
            .transactions = transactions_};
  }

 private:
  static void Raise(std::atomic<uint64_t>& position, Lsn lsn) {
    uint64_t old = position.load();
    while (old < lsn.value() &&
           !position.compare_exchange_weak(old, lsn.value())) {
    }
  }

  std::atomic<uint64_t> received_;
  std::atomic<uint64_t> applied_;
  std::atomic<uint64_t> drain_to_ = 0;
  std::atomic<int64_t> inserts_ = 0;
  std::atomic<int64_t> updates_ = 0;
  std::atomic<int64_t> deletes_ = 0;
  std::atomic<int64_t> truncates_ = 0;
  std::atomic<int64_t> transactions_ = 0;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_STREAM_STATE_H_
