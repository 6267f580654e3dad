#ifndef ENGINE_VERIFY_STILL_DIFFERING_H_
#define ENGINE_VERIFY_STILL_DIFFERING_H_

// What was found different in other states, looked at again.

#include <vector>

#include "absl/status/statusor.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/snapshot_pair.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// Those of `rows.pieces` that differ in these states, with the digests of
// these. One that cannot be read stays as it was: whoever works on it is told.
absl::StatusOr<std::vector<DifferingPiece>> StillDiffering(
    const DifferingRows& rows, SnapshotPair& states,
    const Interrupt& interrupt);

}  // namespace walferry

#endif  // ENGINE_VERIFY_STILL_DIFFERING_H_
