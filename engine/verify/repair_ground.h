#ifndef ENGINE_VERIFY_REPAIR_GROUND_H_
#define ENGINE_VERIFY_REPAIR_GROUND_H_

// Where a repair finds two states that must be equal, and can write to the
// target while they stay so.

#include <memory>

#include "absl/status/statusor.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_repair.h"
#include "engine/verify/snapshot_pair.h"

namespace walferry {

class RepairGround {
 public:
  virtual ~RepairGround() = default;

  // States of now. The first ones also show whether rows may be repaired.
  virtual absl::StatusOr<std::unique_ptr<SnapshotPair>> ToCompare() = 0;

  // RepairRows of what was found different in `compared`.
  virtual absl::StatusOr<RowRepairResult> Repair(
      const DifferingRows& rows, std::unique_ptr<SnapshotPair> compared) = 0;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_REPAIR_GROUND_H_
