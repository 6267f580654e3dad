#ifndef ENGINE_CHECK_CHECK_VERDICT_H_
#define ENGINE_CHECK_CHECK_VERDICT_H_

// What becomes of findings before a run: some are said, some stop it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/check/check.h"
#include "engine/event.h"

namespace walferry {

void TellWarnings(const std::vector<Finding>& findings, EventSink& events);

// kFailedPrecondition, a line for each: findings block that `accept` does not
// name.
absl::Status StopIfBlocked(const CheckReport& report,
                           const std::vector<std::string>& accept);

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_VERDICT_H_
