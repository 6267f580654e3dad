#ifndef ENGINE_COPY_COPY_PLAN_H_
#define ENGINE_COPY_COPY_PLAN_H_

// Which rows are copied in one piece, and in which order.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/ledger/ledger.h"

namespace walferry {

// A table that is to be copied, or the rest of it.
struct CopyTask {
  CatalogTable table;
  // Ranges that are on the target already.
  std::vector<LedgerRange> done;
};

// Blocks of one table, copied and committed as one.
struct CopyItem {
  size_t task = 0;  // Index of the CopyTask.
  LedgerRange range;
  int64_t bytes = 0;  // Estimate: heap and TOAST.

  // The table in one piece.
  bool whole() const { return range.first_block == 0 && range.end_block < 0; }
};

// Whether a table's copy can be cut into ranges: a partly copied table must be
// lifted to a later snapshot after a crash (range_lift.h), which takes a key
// and changes in the stream, and all of its rows.
bool IsDivisible(const CatalogTable& table);

// Cuts what is not done yet into items of about `split_bytes`. The items and
// the done ranges together cover every table from block 0 to its end without
// overlap, and the last item has no end: rows may be added while the plan is
// worked on. Tables with the largest items come first, a table's items stand
// together (so that few tables are unfinished at any moment). kInternal: done
// ranges overlap or leave nothing to do.
absl::StatusOr<std::vector<CopyItem>> BuildCopyPlan(
    const std::vector<CopyTask>& tasks, uint64_t split_bytes);

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_PLAN_H_
