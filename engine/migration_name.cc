#include "engine/migration_name.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "protocol/status.h"

namespace walferry {

absl::Status CheckMigrationName(absl::string_view name) {
  const bool good =
      !name.empty() && name.size() <= 40 &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_';
      });
  if (good) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError(
                      absl::StrCat("the name \"", name, "\" cannot be used")),
                  "a name has 1 to 40 lower-case letters, digits and "
                  "underscores");
}

std::string DefaultObjectName(absl::string_view name) {
  if (name == "walferry") return "walferry";
  return absl::StrCat("walferry_", name);
}

std::string NameCommands(absl::string_view text, absl::string_view name) {
  if (name == "walferry") return std::string(text);
  return absl::StrReplaceAll(
      text, {{"`walferry cleanup`",
              absl::StrCat("`walferry cleanup --name ", name, "`")},
             {"`walferry cutover`",
              absl::StrCat("`walferry cutover --name ", name, "`")}});
}

}  // namespace walferry
