#ifndef ENGINE_VERIFY_COMPARE_SNAPSHOTS_H_
#define ENGINE_VERIFY_COMPARE_SNAPSHOTS_H_

// A comparison, with what a repair of the rows must know of it.

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/verification.h"
#include "protocol/quoting.h"

namespace walferry {

using TableSet = absl::flat_hash_set<QualifiedName>;

struct DifferingRows {
  RowHash hash = RowHash::kHashText;
  std::vector<TablePair> pairs;
  std::vector<DifferingPiece> pieces;  // Of these.
};

struct SnapshotComparison {
  VerifyReport report;
  DifferingRows rows;
};

// As VerifySnapshots; of the rows only those of the tables `only`, unless it is
// null.
absl::StatusOr<SnapshotComparison> CompareSnapshots(
    const VerifyOptions& options, const TableSet* only, SnapshotPair& snapshots,
    Control& control, EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_COMPARE_SNAPSHOTS_H_
