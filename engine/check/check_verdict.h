#ifndef ENGINE_CHECK_CHECK_VERDICT_H_
#define ENGINE_CHECK_CHECK_VERDICT_H_

// What becomes of findings before a run: some are said, some stop it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/check/check.h"
#include "engine/event.h"

namespace walferry {

// Also of what would block, had the operator not accepted it.
void TellWarnings(const std::vector<Finding>& findings,
                  const std::vector<std::string>& accept, EventSink& events);

// What was accepted, a sentence each without its full stop, for a report: no
// comparison may tell of it.
std::vector<std::string> AcceptedTexts(const std::vector<Finding>& findings,
                                       const std::vector<std::string>& accept);

// kFailedPrecondition, a line for each: findings block that `accept` does not
// name.
absl::Status StopIfBlocked(const CheckReport& report,
                           const std::vector<std::string>& accept);

}  // namespace walferry

#endif  // ENGINE_CHECK_CHECK_VERDICT_H_
