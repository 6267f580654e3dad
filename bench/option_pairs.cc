#include "bench/option_pairs.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace walferry {

absl::Status ParseOptionPairs(
    int argc, char** argv,
    absl::FunctionRef<bool(absl::string_view name, absl::string_view value)>
        parse) {
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) {
      return absl::InvalidArgumentError(absl::StrCat(argv[i], ": no value"));
    }
    if (!parse(argv[i], argv[i + 1])) {
      return absl::InvalidArgumentError(
          absl::StrCat("not understood: ", argv[i], " ", argv[i + 1]));
    }
  }
  return absl::OkStatus();
}

bool ParseSkip(absl::string_view value,
               const std::vector<std::pair<absl::string_view, bool*>>& names) {
  for (const absl::string_view skipped : absl::StrSplit(value, ',')) {
    const auto known =
        std::find_if(names.begin(), names.end(),
                     [&](const auto& name) { return name.first == skipped; });
    if (known == names.end()) return false;
    *known->second = false;
  }
  return true;
}

std::vector<std::string> Words(absl::string_view text) {
  return absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
}

}  // namespace walferry
