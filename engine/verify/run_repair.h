#ifndef ENGINE_VERIFY_RUN_REPAIR_H_
#define ENGINE_VERIFY_RUN_REPAIR_H_

// A comparison that makes the target's rows as the source's.

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/verify/repair_ground.h"
#include "engine/verify/verification.h"

namespace walferry {

// Compares, repairs the rows that differ, and compares the rows of these tables
// and everything that is no row again. A dry run compares once.
absl::StatusOr<VerifyReport> RunRepair(const VerifyOptions& options,
                                       RepairGround& ground, Control& control,
                                       EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_RUN_REPAIR_H_
