#include "tools/unknown_variables.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/near_name.h"
#include "tools/option_table.h"

namespace walferry {

std::vector<std::string> UnknownVariables(
    absl::Span<const std::string> variables) {
  std::vector<std::string> known;
  for (const OptionSpec& spec : Options()) {
    known.push_back(EnvironmentName(spec));
  }
  const std::vector<absl::string_view> candidates(known.begin(), known.end());
  std::vector<std::string> sentences;
  for (const std::string& name : variables) {
    if (!absl::StartsWith(name, "WALFERRY_") ||
        absl::StartsWith(name, "WALFERRY_TEST_") ||
        std::count(known.begin(), known.end(), name) > 0) {
      continue;
    }
    const std::string near = NearestName(name, candidates);
    sentences.push_back(absl::StrCat(
        "environment: ", name, " is no option's variable",
        near.empty() ? "; walferry COMMAND --help names them"
                     : absl::StrCat("; did you mean ", near, "?")));
  }
  return sentences;
}

}  // namespace walferry
