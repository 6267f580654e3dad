#ifndef BENCH_OPTION_PAIRS_H_
#define BENCH_OPTION_PAIRS_H_

// Command lines of the whole runs: nothing but options, each with a value.

#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Hands each to `parse`, which returns false if there is no such option, or not
// with this value. kInvalidArgument: says what is wrong.
absl::Status ParseOptionPairs(
    int argc, char** argv,
    absl::FunctionRef<bool(absl::string_view name, absl::string_view value)>
        parse);

// "native,walferry": turns those that are named off. False: one has no name.
bool ParseSkip(absl::string_view value,
               const std::vector<std::pair<absl::string_view, bool*>>& names);

// "--jobs 2" as two arguments.
std::vector<std::string> Words(absl::string_view text);

}  // namespace walferry

#endif  // BENCH_OPTION_PAIRS_H_
