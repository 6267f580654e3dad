#ifndef TOOLS_UNKNOWN_VARIABLES_H_
#define TOOLS_UNKNOWN_VARIABLES_H_

// Variables of the environment that look like ours and are not: a misspelt
// option is otherwise one that is not set.

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace walferry {

// A sentence for each name of `variables` that begins with WALFERRY_ and is no
// option's. WALFERRY_TEST_* belong to the tests.
std::vector<std::string> UnknownVariables(
    absl::Span<const std::string> variables);

}  // namespace walferry

#endif  // TOOLS_UNKNOWN_VARIABLES_H_
