#include "engine/name_pattern.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The place of the "]" that closes the set which starts at `open`, or npos. One
// that comes first stands for itself.
size_t EndOfSet(absl::string_view pattern, size_t open) {
  size_t at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  for (const size_t first = at; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
    } else if (pattern[at] == ']' && at > first) {
      return at;
    }
  }
  return absl::string_view::npos;
}

// What fnmatch would read as an ordinary character although it was meant to be
// part of a pattern, or "".
absl::string_view PatternFault(absl::string_view pattern) {
  if (pattern.empty()) return "is empty";
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] == '\\') {
      ++at;
      if (at == pattern.size()) return "ends with a backslash";
    } else if (pattern[at] == '[') {
      at = EndOfSet(pattern, at);
      if (at == absl::string_view::npos) return "has a [ without its ]";
    }
  }
  return "";
}

}  // namespace

bool MatchesPattern(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
}

bool MatchesAny(const std::vector<std::string>& patterns,
                const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) {
                       return MatchesPattern(pattern, name);
                     });
}

absl::Status CheckPattern(absl::string_view option, absl::string_view whole,
                          absl::string_view part) {
  const absl::string_view fault = PatternFault(part);
  if (fault.empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      option, " pattern \"", whole, "\"",
      whole == part ? "" : absl::StrCat(": \"", part, "\""), " ", fault));
}

absl::Status CheckPatterns(absl::string_view option,
                           const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    RETURN_IF_ERROR(CheckPattern(option, pattern, pattern));
  }
  return absl::OkStatus();
}

}  // namespace walferry
