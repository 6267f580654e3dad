#include "tools/command.h"

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace walferry {

CommandOutcome Fail(absl::Status error) {
  const ExitCode code = ExitCodeOf(error);
  return {code, std::move(error)};
}

CommandOutcome FailUsage(absl::Status error) {
  return {ExitCode::kUsage, std::move(error)};
}

absl::Status WriteResult(std::ostream& out, absl::string_view text) {
  errno = 0;
  out << text << std::flush;
  if (out) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("cannot write to standard output",
                   errno == 0 ? "" : absl::StrCat(": ", std::strerror(errno))));
}

CommandOutcome FinishWith(const CommandContext& context,
                          absl::string_view text) {
  return FinishWithRedacted(context, context.redactor.Redact(text));
}

CommandOutcome FinishWithRedacted(const CommandContext& context,
                                  absl::string_view text) {
  absl::Status written = WriteResult(context.out, text);
  if (!written.ok()) return Fail(std::move(written));
  return {};
}

CommandOutcome DispatchCommand(const CommandContext& context) {
  switch (context.line.command) {
    case Command::kCheck:
      return RunCheckCommand(context);
    case Command::kMigrate:
      return RunMigrateCommand(context);
    case Command::kFollow:
      return RunFollowCommand(context);
    case Command::kCutover:
      return RunCutoverCommand(context);
    case Command::kVerify:
      return RunVerifyCommand(context);
    case Command::kStatus:
      return RunStatusCommand(context);
    case Command::kCleanup:
      return RunCleanupCommand(context);
    case Command::kCapture:
      return RunCaptureCommand(context);
    case Command::kReplay:
      return RunReplayCommand(context);
    case Command::kGlobals:
      return RunGlobalsCommand(context);
    case Command::kDump:
      return RunDumpCommand(context);
    case Command::kRestore:
      return RunRestoreCommand(context);
    case Command::kDrill:
      return RunDrillCommand(context);
    case Command::kConfig:
      return RunConfigCommand(context);
    case Command::kCompletion:
      return RunCompletionCommand(context);
    case Command::kMan:
      return RunManCommand(context);
    case Command::kVersion:
      return RunVersionCommand(context);
  }
  return Fail(absl::InternalError("no such command"));
}

}  // namespace walferry
