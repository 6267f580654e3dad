#ifndef TOOLS_OPTION_ROWS_ARCHIVE_H_
#define TOOLS_OPTION_ROWS_ARCHIVE_H_

// Rows of the option table: archives on disk.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kArchiveRows[] = {
    {.id = OptionId::kFormat,
     .name = "format",
     .type = OptionType::kChoice,
     .default_text = "directory",
     .choices = "directory|custom|plain",
     .commands = SetOf(Command::kDump) | kMigration,
     .group = OptionGroup::kArchive,
     .placeholder = "FORMAT",
     .help = "directory is written and read by several jobs; custom is one "
             "file; plain is SQL for psql, which is restored as it is."},
    {.id = OptionId::kCompress,
     .name = "compress",
     .commands = SetOf(Command::kDump) | kMigration,
     .group = OptionGroup::kArchive,
     .placeholder = "METHOD[:LEVEL]",
     .help = "zstd, lz4, gzip or none. zstd and lz4 need pg_dump 16 or later. "
             "By default zstd:1, or gzip:1 if pg_dump cannot do that."},
    {.id = OptionId::kArchiveDir,
     .name = "archive-dir",
     .commands = kDumping | kMigration,
     .group = OptionGroup::kArchive,
     .file = true,
     .placeholder = "DIR",
     .help = "Where archives are made that --output does not name, and the "
             "fresh dump of a drill; by default the current directory."},
    {.id = OptionId::kDiskShare,
     .name = "disk-share",
     .type = OptionType::kInteger,
     .default_text = "50",
     .minimum = "0",
     .maximum = "1000",
     .commands = kArchive | kMigration,
     .group = OptionGroup::kArchive,
     .placeholder = "PERCENT",
     .help = "Free disk space to ask for before anything is written, in "
             "percent of the database's size: for an archive in its folder, "
             "for a restore on the target's disk if that can be seen. 0 asks "
             "for none."},
    {.id = OptionId::kAllowRestoreErrors,
     .name = "allow-restore-errors",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kRestore),
     .group = OptionGroup::kArchive,
     .reach = OptionReach::kFlag,
     .help = "Go on after an error of the restore, but for one of a plain "
             "script. Each is logged, and counted by its kind in the result; "
             "the exit code is 3 if there was one."},
    {.id = OptionId::kAllowPartial,
     .name = "allow-partial",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kDrill),
     .group = OptionGroup::kArchive,
     .reach = OptionReach::kFlag,
     .help = "Drill an archive of less than the whole database, such as one "
             "made with --schema-only or --exclude-table. The report says of "
             "what nothing is proved. Otherwise such a drill fails."},
    {.id = OptionId::kMaxAge,
     .name = "max-age",
     .type = OptionType::kDuration,
     .default_text = "0",
     .commands = SetOf(Command::kDrill, Command::kConfig),
     .group = OptionGroup::kArchive,
     .placeholder = "DURATION",
     .help = "Fail the drill of an archive that is older, such as 36h: where "
             "dumps no longer run, the last one can still be restored. 0 asks "
             "for no age."},
    {.id = OptionId::kKeep,
     .name = "keep",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kDrill),
     .group = OptionGroup::kArchive,
     .reach = OptionReach::kFlag,
     .help = "Keep the scratch database."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_ARCHIVE_H_
