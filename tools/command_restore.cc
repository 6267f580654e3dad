#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tools/archive_binding.h"
#include "tools/archive_run.h"
#include "tools/archive_text.h"
#include "tools/command.h"

namespace walferry {
namespace {

// Typing the name takes more thought than a y.
absl::Status Confirm(const CommandContext& context, const std::string& target) {
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
  return absl::CancelledError("nothing was dropped or restored");
}

}  // namespace

CommandOutcome RunRestoreCommand(const CommandContext& context) {
  const absl::StatusOr<RestoreOptions> options = BindRestore(context.values);
  if (!options.ok()) return FailUsage(options.status());
  if (options->drop_target_first) {
    const absl::Status confirmed = Confirm(context, options->target);
    if (absl::IsCancelled(confirmed)) return {ExitCode::kFailed, confirmed};
    if (!confirmed.ok()) return FailUsage(confirmed);
  }
  absl::StatusOr<RestoreReport> report =
      absl::InternalError("the restore did not end");
  RunOnArchive(context, "stopping; what is restored by now stays",
               [&](Control& control, EventSink& events) {
                 report = context.engine.restore(*options, control, events);
               });
  // Nothing goes on from where a restore has stopped.
  if (!report.ok()) return {ExitCode::kFailed, report.status()};
  return FinishWith(context, RestoreText(*options, *report));
}

}  // namespace walferry
