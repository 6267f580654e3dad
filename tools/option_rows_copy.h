#ifndef TOOLS_OPTION_ROWS_COPY_H_
#define TOOLS_OPTION_ROWS_COPY_H_

// Rows of the option table: how schema and rows are copied.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kCopyRows[] = {
    {.id = OptionId::kVia,
     .name = "via",
     .type = OptionType::kChoice,
     .default_text = "stream",
     .choices = "stream|archive",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .placeholder = "WAY",
     .help = "With --mode offline: stream copies from server to server and "
             "touches no disk in between. archive has pg_dump write an archive "
             "into --archive-dir, which is kept, and restores that; a run that "
             "failed in the restore takes it again by --input."},
    {.id = OptionId::kDropTargetFirst,
     .name = "drop-target-first",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kRestore),
     .group = OptionGroup::kCopy,
     .reach = OptionReach::kFlag,
     .help = "Drop the target's database, whatever it holds, and create it "
             "again with its owner, settings and privileges, after all that "
             "can be checked was. Asks first, unless --yes is given. migrate: "
             "with --mode offline, refused while others are in it, and never "
             "done to a database in which this migration has begun."},
    {.id = OptionId::kYes,
     .name = "yes",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kRestore) |
                 kComparing,
     .group = OptionGroup::kCopy,
     .reach = OptionReach::kFlag,
     .help = "Do not ask."},
    {.id = OptionId::kJobs,
     .name = "jobs",
     .type = OptionType::kInteger,
     .default_text = "4",
     .minimum = "1",
     .maximum = "256",
     .commands = kMigration | kComparing | kArchive,
     .group = OptionGroup::kCopy,
     .placeholder = "N",
     .help = "Tables, or ranges of large tables, copied or compared at once."},
    {.id = OptionId::kIndexJobs,
     .name = "index-jobs",
     .type = OptionType::kInteger,
     .default_text = "2",
     .minimum = "1",
     .maximum = "256",
     .commands = kMigration | kRestoring,
     .group = OptionGroup::kCopy,
     .placeholder = "N",
     .help = "Indexes and constraints built at once."},
    {.id = OptionId::kSplitSize,
     .name = "split-size",
     .type = OptionType::kSize,
     .default_text = "256MiB",
     .minimum = "1MiB",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .placeholder = "SIZE",
     .help = "Larger tables are copied in ranges of about this size."},
    {.id = OptionId::kNoOwner,
     .name = "no-owner",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration | kArchive,
     .group = OptionGroup::kCopy,
     .help = "Do not restore who owns what: everything belongs to the "
             "target's role."},
    {.id = OptionId::kNoAcl,
     .name = "no-acl",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration | kArchive,
     .group = OptionGroup::kCopy,
     .help = "Do not restore privileges (GRANT, REVOKE)."},
    {.id = OptionId::kNoSequenceSync,
     .name = "no-sequence-sync",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .help = "Do not set the target's sequences at the cutover."},
    {.id = OptionId::kNoAnalyze,
     .name = "no-analyze",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration | SetOf(Command::kRestore),
     .group = OptionGroup::kCopy,
     .help = "Do not collect planner statistics on the target."},
    {.id = OptionId::kInserts,
     .name = "inserts",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .help = "Copy rows by INSERT, many in each, for a target that does not "
             "take COPY. Slower, and exact for every type. PGlite is noticed "
             "by itself."},
    {.id = OptionId::kPgDump,
     .name = "pg-dump",
     .commands = kMigration | kArchive,
     .group = OptionGroup::kCopy,
     .file = true,
     .placeholder = "PATH",
     .help = "The pg_dump program. By default one that is new enough is "
             "looked for on PATH and where distributions install it."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_COPY_H_
