#ifndef TOOLS_HELP_TEXT_H_
#define TOOLS_HELP_TEXT_H_

// What --help prints, made from the tables of commands and options.

#include <functional>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/command_table.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr absl::string_view kProgramSummary =
    "move PostgreSQL databases between servers while they are in use";

// `walferry --help`.
std::string GeneralHelp();

// `walferry COMMAND --help`.
std::string CommandHelp(Command command);

// "walferry completion [OPTIONS] SHELL".
std::string UsageLine(const CommandSpec& spec);

// "--jobs N", "--no-owner", "-h, --help".
std::string OptionHeading(const OptionSpec& spec);

// Everything about the option but its name, in sentences: help, choices,
// default, environment.
std::string OptionDetails(const OptionSpec& spec);

// Calls `visit` for every option of a set of commands, group by group;
// `first_of_group` marks where a heading belongs.
void ForEachOption(CommandSet commands,
                   const std::function<void(const OptionSpec& spec,
                                            bool first_of_group)>& visit);

}  // namespace walferry

#endif  // TOOLS_HELP_TEXT_H_
