#ifndef TESTS_DIFFERENTIAL_SESSIONS_H_
#define TESTS_DIFFERENTIAL_SESSIONS_H_

// Runs random sessions at the same time.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/differential/random_workload.h"

namespace walferry {

// Each on a connection of its own. What was run, in the order in which it
// ended, a statement a line: how the sessions interleave is the only part of a
// seed that is not the same every time. Statements may fail; only a lost
// connection is an error.
absl::StatusOr<std::vector<std::string>> RunSessions(
    const std::string& conninfo, const std::vector<RandomSession>& sessions);

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_SESSIONS_H_
