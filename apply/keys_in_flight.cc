#include "apply/keys_in_flight.h"

#include <utility>

namespace walferry {

void KeysInFlight::Enter(Batch& batch) {
  batch.held.assign(batch.keys.size(), false);
  absl::MutexLock lock(&mutex_);
  batch.number = ++last_number_;
  batch.behind_wall = walls_ > 0;
  if (batch.wall) ++walls_;
  for (size_t index = 0; index < batch.keys.size(); ++index) {
    const auto [entry, is_new] =
        owners_.try_emplace(batch.keys[index], batch.number);
    if (is_new) continue;
    const uint64_t owner = std::exchange(entry->second, batch.number);
    batch.held[index] = owner != batch.number;
  }
}

void KeysInFlight::Leave(const Batch& batch) {
  absl::MutexLock lock(&mutex_);
  if (batch.wall) --walls_;
  for (const uint64_t key : batch.keys) {
    const auto found = owners_.find(key);
    if (found != owners_.end() && found->second == batch.number) {
      owners_.erase(found);
    }
  }
}

}  // namespace walferry
