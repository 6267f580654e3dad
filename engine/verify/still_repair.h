#ifndef ENGINE_VERIFY_STILL_REPAIR_H_
#define ENGINE_VERIFY_STILL_REPAIR_H_

// A repair where both sides stand still.

#include <memory>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/verify/repair_ground.h"
#include "engine/verify/verification.h"
#include "protocol/pg_connection.h"

namespace walferry {

// kFailedPrecondition: a migration that the target's ledger knows has not come
// to its end, and writes these rows, too.
class StillGround : public RepairGround {
 public:
  // All outlive it.
  StillGround(const VerifyOptions& options, Control& control, EventSink& events)
      : options_(options), control_(control), events_(events) {}

  absl::StatusOr<std::unique_ptr<SnapshotPair>> ToCompare() override;
  absl::StatusOr<RowRepairResult> Repair(
      const DifferingRows& rows,
      std::unique_ptr<SnapshotPair> compared) override;

 private:
  absl::Status CheckNoMigration(SnapshotPair& snapshots) const;

  const VerifyOptions& options_;
  Control& control_;
  EventSink& events_;
  bool repaired_ = false;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_STILL_REPAIR_H_
