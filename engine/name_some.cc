#include "engine/name_some.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace walferry {
namespace {

constexpr size_t kNamesShown = 5;

}  // namespace

std::string NameSome(const std::vector<std::string>& names) {
  if (names.size() <= kNamesShown) return absl::StrJoin(names, ", ");
  return absl::StrCat(
      absl::StrJoin(names.begin(), names.begin() + kNamesShown, ", "), " and ",
      names.size() - kNamesShown, " more");
}

std::string CountOf(int64_t number, absl::string_view singular) {
  return absl::StrCat(number, " ", singular, number == 1 ? "" : "s");
}

}  // namespace walferry
