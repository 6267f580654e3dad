#ifndef ENGINE_VERIFY_ONLINE_REPAIR_H_
#define ENGINE_VERIFY_ONLINE_REPAIR_H_

// A repair while a migration goes on to bring changes.

#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/verify/online_pair.h"
#include "engine/verify/repair_ground.h"
#include "engine/verify/verification.h"

namespace walferry {

// What differs is looked at once more in states for which the migration keeps
// its appliers standing, and repaired there: what the stream brings afterwards
// finds the rows that it was made of.
//
// They may go on at any time: their process has died, a cutover has begun, the
// repair took too long. That cannot be kept from happening behind a question,
// so it is made harmless: each transaction locks its tables and then reads how
// far the stream was applied, and once more before it commits. A batch that is
// not seen there has not written to these tables, and must wait for the lock.
class OnlineGround : public RepairGround {
 public:
  // `meet` gives states to compare. What is referred to outlives it.
  OnlineGround(const VerifyOptions& options, MeetFunction meet,
               Control& control, EventSink& events)
      : options_(options),
        meet_(std::move(meet)),
        control_(control),
        events_(events) {}

  absl::StatusOr<std::unique_ptr<SnapshotPair>> ToCompare() override;
  // As often as the appliers go on before all is repaired, but not without end.
  absl::StatusOr<RowRepairResult> Repair(
      const DifferingRows& rows,
      std::unique_ptr<SnapshotPair> compared) override;

 private:
  absl::StatusOr<RowRepairResult> Note(const DifferingRows& rows);
  absl::StatusOr<RowRepairResult> RepairOnce(const DifferingRows& rows);

  const VerifyOptions& options_;
  const MeetFunction meet_;
  Control& control_;
  EventSink& events_;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_ONLINE_REPAIR_H_
