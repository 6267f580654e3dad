#ifndef ENGINE_NAME_PATTERN_H_
#define ENGINE_NAME_PATTERN_H_

// Glob patterns for the names of things: * ? [abc], case-sensitive, as
// fnmatch(3) reads them.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace walferry {

bool MatchesAny(const std::vector<std::string>& patterns,
                const std::string& name);

bool MatchesPattern(const std::string& pattern, const std::string& name);

// kInvalidArgument: it is empty, or fnmatch would read as an ordinary
// character what was meant to be part of a pattern. `option` and `whole`, of
// which `part` is one, name it in the error.
absl::Status CheckPattern(absl::string_view option, absl::string_view whole,
                          absl::string_view part);

// The same for each of them.
absl::Status CheckPatterns(absl::string_view option,
                           const std::vector<std::string>& patterns);

}  // namespace walferry

#endif  // ENGINE_NAME_PATTERN_H_
