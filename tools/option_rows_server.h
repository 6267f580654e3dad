#ifndef TOOLS_OPTION_ROWS_SERVER_H_
#define TOOLS_OPTION_ROWS_SERVER_H_

// Rows of the option table: what belongs to a server and to no database of it.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kServerRows[] = {
    {.id = OptionId::kUpdateExisting,
     .name = "update-existing",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kWholeServer,
     .group = OptionGroup::kServer,
     .help = "Make roles and tablespaces that the target has as they are on "
             "the source; by default they are left as they are. Never the "
             "role that migrates, nor the superuser that initdb made."},
    {.id = OptionId::kNoRolePasswords,
     .name = "no-role-passwords",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kWholeServer,
     .group = OptionGroup::kServer,
     .help = "Create roles without their passwords."},
    {.id = OptionId::kTablespaceMapping,
     .name = "tablespace-mapping",
     .type = OptionType::kList,
     .commands = kWholeServer,
     .group = OptionGroup::kServer,
     .placeholder = "OLD=NEW",
     .help = "Directory on the target for the tablespace OLD, given by its "
             "name or by its directory on the source. May be repeated. By "
             "default it is the same directory. One that does not exist is "
             "skipped with a warning."},
    {.id = OptionId::kDryRun,
     .name = "dry-run",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kWholeServer,
     .group = OptionGroup::kServer,
     .reach = OptionReach::kFlag,
     .help = "Print what was found and the SQL that would be run, with *** "
             "for passwords, and change nothing."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_SERVER_H_
