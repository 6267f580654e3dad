#ifndef TOOLS_COMMAND_H_
#define TOOLS_COMMAND_H_

// What every subcommand is given, and the subcommands: one command_<verb>.cc
// each.

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/command_line.h"
#include "tools/config_file.h"
#include "tools/engine_calls.h"
#include "tools/exit_code.h"
#include "tools/log.h"
#include "tools/option_values.h"
#include "tools/redaction.h"
#include "tools/screen.h"
#include "tools/terminal_progress.h"

namespace walferry {

// Asks a person a question and returns the line that is typed, without its end;
// nullopt: nothing more will come. Empty where nobody sits at a terminal.
using Asker =
    std::function<std::optional<std::string>(absl::string_view question)>;

// Everything in it outlives the command.
struct CommandContext {
  const CommandLine& line;
  const OptionValues& values;
  const EnvironmentReader& environment;
  const std::vector<ConfigEntry>& config;
  const EngineCalls& engine;
  const Redactor& redactor;
  std::ostream& out;  // Results; see FinishWith.
  bool color_out = false;
  Screen& screen;  // Standard error.
  LogOptions log;
  std::function<TerminalSize()> terminal_size;
  std::function<absl::Time()> now;
  Asker ask;
};

// How a command ended: kDone or another code on its own, or an error that is
// still to be printed.
struct CommandOutcome {
  ExitCode code = ExitCode::kDone;
  absl::Status error;
};
CommandOutcome Fail(absl::Status error);       // With ExitCodeOf(error).
CommandOutcome FailUsage(absl::Status error);  // With kUsage.

// All of it and at once, or an error that says why not.
absl::Status WriteResult(std::ostream& out, absl::string_view text);

// A command's last act: writes its result to standard output, redacted. For
// people: in a text that programs read, a password might be one of its words.
CommandOutcome FinishWith(const CommandContext& context,
                          absl::string_view text);
// The same for a text whose values were redacted before they were written into
// it, or that has none.
CommandOutcome FinishWithRedacted(const CommandContext& context,
                                  absl::string_view text);

CommandOutcome RunCheckCommand(const CommandContext& context);
CommandOutcome RunMigrateCommand(const CommandContext& context);
CommandOutcome RunFollowCommand(const CommandContext& context);
CommandOutcome RunCutoverCommand(const CommandContext& context);
CommandOutcome RunVerifyCommand(const CommandContext& context);
CommandOutcome RunStatusCommand(const CommandContext& context);
CommandOutcome RunCleanupCommand(const CommandContext& context);
CommandOutcome RunCaptureCommand(const CommandContext& context);
CommandOutcome RunReplayCommand(const CommandContext& context);
CommandOutcome RunGlobalsCommand(const CommandContext& context);
CommandOutcome RunDumpCommand(const CommandContext& context);
CommandOutcome RunRestoreCommand(const CommandContext& context);
CommandOutcome RunDrillCommand(const CommandContext& context);
CommandOutcome RunConfigCommand(const CommandContext& context);
CommandOutcome RunCompletionCommand(const CommandContext& context);
CommandOutcome RunManCommand(const CommandContext& context);
CommandOutcome RunVersionCommand(const CommandContext& context);

// The one that `context.line` names.
CommandOutcome DispatchCommand(const CommandContext& context);

}  // namespace walferry

#endif  // TOOLS_COMMAND_H_
