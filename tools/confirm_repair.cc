#include "tools/confirm_repair.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"

namespace walferry {

absl::Status ConfirmRepair(const CommandContext& context,
                           const std::string& target) {
  if (!context.values.Flag(OptionId::kRepair) ||
      context.values.Flag(OptionId::kDryRun) ||
      context.values.Flag(OptionId::kYes)) {
    return absl::OkStatus();
  }
  if (!context.ask) {
    return WithHint(
        absl::InvalidArgumentError("--repair changes rows of the target, and "
                                   "nobody is here to be asked"),
        "give --yes too; with --dry-run nothing is changed");
  }
  ASSIGN_OR_RETURN(const ConnInfoParts parts, ParseConnInfo(target));
  const std::optional<std::string> answer = context.ask(absl::StrCat(
      "This makes rows of database ", parts.dbname, " on ", parts.host, ":",
      parts.port, " as they are on the source.\nType its name to go on: "));
  if (answer.has_value() &&
      absl::StripAsciiWhitespace(*answer) == parts.dbname) {
    return absl::OkStatus();
  }
  return absl::CancelledError("nothing was repaired");
}

}  // namespace walferry
