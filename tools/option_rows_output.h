#ifndef TOOLS_OPTION_ROWS_OUTPUT_H_
#define TOOLS_OPTION_ROWS_OUTPUT_H_

// Rows of the option table: what is shown and how, and what is in every
// command.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kOutputRows[] = {
    {.id = OptionId::kJson,
     .name = "json",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kCutover, Command::kStatus) |
                 kComparing,
     .group = OptionGroup::kOutput,
     .reach = OptionReach::kFlag,
     .help = "Print the result as JSON."},
    {.id = OptionId::kEvents,
     .name = "events",
     .commands = SetOf(Command::kMigrate, Command::kFollow, Command::kConfig) |
                 kComparing,
     .group = OptionGroup::kOutput,
     .file = true,
     .placeholder = "FILE",
     .help = "Append one JSON object per event to FILE; - is the standard "
             "output."},
    {.id = OptionId::kLogFormat,
     .name = "log-format",
     .type = OptionType::kChoice,
     .default_text = "text",
     .choices = "text|json",
     .commands = kEngine,
     .group = OptionGroup::kOutput,
     .placeholder = "FORMAT",
     .help = "Form of the log on the standard error."},
    {.id = OptionId::kLogLevel,
     .name = "log-level",
     .type = OptionType::kChoice,
     .default_text = "info",
     .choices = "debug|info|warning|error",
     .commands = kEngine,
     .group = OptionGroup::kOutput,
     .placeholder = "LEVEL",
     .help = "The least important messages that are logged."},
    {.id = OptionId::kNoColor,
     .name = "no-color",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kEngine,
     .group = OptionGroup::kOutput,
     .help = "No colours, as if NO_COLOR were set."},
    {.id = OptionId::kForce,
     .name = "force",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCleanup),
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kFlag,
     .help = "Also end a connection that still uses the slot."},
    {.id = OptionId::kConfig,
     .name = "config",
     .commands = kEngine,
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kEnvironment,
     .file = true,
     .placeholder = "FILE",
     .help = "Configuration file (TOML): options by their names, for every "
             "command or in a section [COMMAND]. None is read by itself."},
    {.id = OptionId::kShow,
     .name = "show",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kConfig),
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kFlag,
     .help = "Print every setting and where it comes from."},
    {.id = OptionId::kExample,
     .name = "example",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kConfig),
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kFlag,
     .help = "Print a configuration file to start from."},
    {.id = OptionId::kHelp,
     .name = "help",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kEvery,
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kFlag,
     .help = "Print this help."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_OUTPUT_H_
