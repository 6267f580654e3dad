#ifndef ENGINE_VERIFY_ROW_ROOM_H_
#define ENGINE_VERIFY_ROW_ROOM_H_

// How much of the rows that differ is kept, of all tables together.

#include <atomic>
#include <cstdint>

#include "engine/verify/verification.h"

namespace walferry {

// Thread-safe.
class RowRoom {
 public:
  explicit RowRoom(int64_t bytes) : left_(bytes) {}

  // Whether there is room for it, which it takes. Once there is none, none of
  // the others is kept either, however short.
  bool Take(const RowDifference& row);

  bool full() const { return left_.load(std::memory_order_relaxed) < 0; }

 private:
  std::atomic<int64_t> left_;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_ROOM_H_
