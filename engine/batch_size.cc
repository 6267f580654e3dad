#include "engine/batch_size.h"

#include <algorithm>

namespace walferry {

size_t BatchBytesFor(size_t memory, int apply_jobs) {
  constexpr size_t kProgram = size_t{32} << 20;
  constexpr size_t kLeast = size_t{4} << 10;
  const size_t free = memory - std::min(memory, kProgram);
  const size_t parts = 2 * static_cast<size_t>(apply_jobs) + 2;
  return std::max(free / parts, kLeast);
}

}  // namespace walferry
