#ifndef ENGINE_CHECK_REFUSAL_H_
#define ENGINE_CHECK_REFUSAL_H_

// What the preflight's findings mean to somebody who is about to begin.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/check.h"
#include "engine/event.h"

namespace walferry {

// Tells the warnings. kFailedPrecondition: what blocks, a line each, but for
// what is accepted.
absl::Status RefuseBlocking(const CheckReport& report,
                            const std::vector<std::string>& accept,
                            EventSink& events);

}  // namespace walferry

#endif  // ENGINE_CHECK_REFUSAL_H_
