#ifndef APPLY_KEYS_IN_FLIGHT_H_
#define APPLY_KEYS_IN_FLIGHT_H_

// Which rows are changed by the batches that are on their way to the target and
// not committed.

#include <cstdint>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

// A guess, and a fast one: keys are hashes. One that is taken for another costs
// time, and one that is overlooked costs time, too (ahead_changes.h says why).
//
// Thread-safe.
class KeysInFlight {
 public:
  // Kept by the caller from Enter() to Leave().
  struct Batch {
    // Hashes; a key may be there twice.
    std::vector<uint64_t> keys;
    // It does not consist of changes of single rows: those behind it wait for
    // it, whatever they change.
    bool wall = false;

    // Set by Enter().
    uint64_t number = 0;
    // One for each key: an older batch in flight has it, too.
    std::vector<bool> held;
    bool behind_wall = false;
  };

  // In source order.
  void Enter(Batch& batch);
  // In the order of Enter(): it is committed.
  void Leave(const Batch& batch);

 private:
  absl::Mutex mutex_;
  uint64_t last_number_ ABSL_GUARDED_BY(mutex_) = 0;
  int walls_ ABSL_GUARDED_BY(mutex_) = 0;
  // The last batch that has the key.
  absl::flat_hash_map<uint64_t, uint64_t> owners_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // APPLY_KEYS_IN_FLIGHT_H_
