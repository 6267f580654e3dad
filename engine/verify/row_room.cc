#include "engine/verify/row_room.h"

#include "absl/strings/string_view.h"

namespace walferry {
namespace {

// A text of any length, about as the heap has it.
int64_t SizeOf(absl::string_view text) {
  return static_cast<int64_t>(sizeof(std::string) + text.size());
}

}  // namespace

bool RowRoom::Take(const RowDifference& row) {
  int64_t bytes = static_cast<int64_t>(sizeof(row)) + SizeOf(row.key);
  for (const ColumnDifference& column : row.columns) {
    bytes += SizeOf(column.column) + SizeOf(column.source.value_or("")) +
             SizeOf(column.target.value_or(""));
  }
  if (full()) return false;
  return left_.fetch_sub(bytes, std::memory_order_relaxed) >= bytes;
}

}  // namespace walferry
