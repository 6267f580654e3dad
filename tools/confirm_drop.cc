#include "tools/confirm_drop.h"

#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"

namespace walferry {

// Typing the name takes more thought than a y.
absl::Status ConfirmDrop(const CommandContext& context,
                         const std::string& target) {
  if (context.values.Flag(OptionId::kYes)) return absl::OkStatus();
  if (!context.ask) {
    return WithHint(absl::InvalidArgumentError(
                        "--drop-target-first drops a database, and nobody is "
                        "here to be asked"),
                    "give --yes too");
  }
  ASSIGN_OR_RETURN(const ConnInfoParts parts, ParseConnInfo(target));
  const std::optional<std::string> answer = context.ask(absl::StrCat(
      "This drops database ", parts.dbname, " on ", parts.host, ":", parts.port,
      " with everything in it.\nType its name to go on: "));
  if (answer.has_value() &&
      absl::StripAsciiWhitespace(*answer) == parts.dbname) {
    return absl::OkStatus();
  }
  return absl::CancelledError("nothing was dropped");
}

CommandOutcome NotConfirmed(const absl::Status& status) {
  if (absl::IsCancelled(status)) return {ExitCode::kFailed, status};
  return FailUsage(status);
}

}  // namespace walferry
