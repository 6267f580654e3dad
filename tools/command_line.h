#ifndef TOOLS_COMMAND_LINE_H_
#define TOOLS_COMMAND_LINE_H_

// What a person typed: the command, its flags and its argument, as texts.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tools/command_table.h"
#include "tools/option_values.h"

namespace walferry {

struct CommandLine {
  Command command = Command::kVersion;
  // `walferry --help`, or `walferry help` without a command.
  bool general_help = false;
  std::string argument;  // "" if none was given.
  FlagTexts flags;
};

// `arguments` without the program's name. kInvalidArgument is a usage error,
// with the nearest name as hint; values never stand in it, they may be secret.
// `walferry help migrate` is read as `walferry migrate --help`, `--version` as
// the command version, no argument at all as a usage error.
absl::StatusOr<CommandLine> ParseCommandLine(
    const std::vector<std::string>& arguments);

}  // namespace walferry

#endif  // TOOLS_COMMAND_LINE_H_
