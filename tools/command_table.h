#ifndef TOOLS_COMMAND_TABLE_H_
#define TOOLS_COMMAND_TABLE_H_

// The one list of walferry's subcommands. Help, manual and completion come
// from it. A new command: an enumerator, a row here, options' `commands` in
// option_rows_*.h, a case in DispatchCommand (command.cc), command_<verb>.cc.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

enum class Command {
  kCheck,
  kMigrate,
  kFollow,
  kCutover,
  kVerify,
  kStatus,
  kCleanup,
  kCapture,
  kReplay,
  kGlobals,
  kDump,
  kRestore,
  kDrill,
  kConfig,
  kCompletion,
  kMan,
  kVersion,
};

// A set of commands, one bit each.
using CommandSet = uint32_t;
constexpr CommandSet SetOf(Command command) {
  return CommandSet{1} << static_cast<int>(command);
}
template <typename... Commands>
constexpr CommandSet SetOf(Command first, Commands... rest) {
  return SetOf(first) | SetOf(rest...);
}
constexpr bool Contains(CommandSet set, Command command) {
  return (set & SetOf(command)) != 0;
}

struct CommandSpec {
  Command command;
  absl::string_view name;
  absl::string_view summary;  // After the name in a list; no full stop.
  // Paragraphs divided by an empty line; wrapped where they are shown.
  absl::string_view description;
  // Its one positional argument: "" none; how help shows it ("SHELL") and what
  // it may be ("bash|zsh").
  absl::string_view argument;
  absl::string_view argument_choices;
  bool argument_required = false;
  absl::string_view example;
};

absl::Span<const CommandSpec> Commands();
const CommandSpec& SpecOf(Command command);
// nullptr: no command has that name.
const CommandSpec* FindCommand(absl::string_view name);

}  // namespace walferry

#endif  // TOOLS_COMMAND_TABLE_H_
