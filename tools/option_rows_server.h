#ifndef TOOLS_OPTION_ROWS_SERVER_H_
#define TOOLS_OPTION_ROWS_SERVER_H_

// Rows of the option table: whole servers, with what belongs to no database.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kServerRows[] = {
    {.id = OptionId::kUpdateExisting,
     .name = "update-existing",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kServerMoves,
     .group = OptionGroup::kServer,
     .help = "Make roles and tablespaces that the target has as they are on "
             "the source; by default they are left as they are. Never the "
             "role that migrates, nor the superuser that initdb made."},
    {.id = OptionId::kNoRolePasswords,
     .name = "no-role-passwords",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kServerMoves,
     .group = OptionGroup::kServer,
     .help = "Create roles without their passwords."},
    {.id = OptionId::kTablespaceMapping,
     .name = "tablespace-mapping",
     .type = OptionType::kList,
     .commands = kServerMoves,
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
     .commands = kWholeServer | kComparing,
     .group = OptionGroup::kServer,
     .reach = OptionReach::kFlag,
     .help = "Print what was found and the SQL that would be run, with *** "
             "for passwords, and change nothing."},
    {.id = OptionId::kAllDatabases,
     .name = "all-databases",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kServerMigration,
     .group = OptionGroup::kServer,
     .help = "Every database of the source's server, smallest first, after its "
             "roles and tablespaces. Source and target name any database of "
             "their servers; the target's keeps the ledger of the whole. With "
             "--mode online all are followed at once and cut over together. "
             "cutover, status and cleanup find such a move by its name; with "
             "this they take nothing else."},
    {.id = OptionId::kDatabase,
     .name = "database",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "PATTERN",
     .help = "With --all-databases: only databases that match (* ? [abc]). May "
             "be repeated."},
    {.id = OptionId::kExcludeDatabase,
     .name = "exclude-database",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "PATTERN",
     .help = "With --all-databases: no database that matches. Exclusion wins."},
    {.id = OptionId::kUseExisting,
     .name = "use-existing",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .help = "With --all-databases: migrate into databases that the target has "
             "already. By default they stop the run before it begins."},
    {.id = OptionId::kNoGlobals,
     .name = "no-globals",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .help = "With --all-databases: bring no roles and no tablespaces."},
    {.id = OptionId::kMaxParallel,
     .name = "max-parallel",
     .type = OptionType::kInteger,
     .default_text = "4",
     .minimum = "1",
     .maximum = "64",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "N",
     .help = "With --all-databases: databases that are worked on at once. "
             "With --mode online all are, and at most so many are copied, or "
             "built, at once."},
    {.id = OptionId::kDumpParallel,
     .name = "dump-parallel",
     .type = OptionType::kInteger,
     .default_text = "2",
     .minimum = "1",
     .maximum = "64",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "N",
     .help = "With --all-databases: databases that are read from the source at "
             "once, each with --jobs."},
    {.id = OptionId::kRestoreParallel,
     .name = "restore-parallel",
     .type = OptionType::kInteger,
     .default_text = "2",
     .minimum = "1",
     .maximum = "64",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "N",
     .help =
         "With --all-databases: databases whose indexes and constraints are "
         "built on the target at once, each with --index-jobs."},
    {.id = OptionId::kVerifyConcurrency,
     .name = "verify-concurrency",
     .type = OptionType::kInteger,
     .default_text = "2",
     .minimum = "1",
     .maximum = "64",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .placeholder = "N",
     .help = "With --all-databases: databases that are compared at once, each "
             "with --jobs."},
    {.id = OptionId::kFastTarget,
     .name = "fast-target",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kServer,
     .help = "For the time of an offline run turn off fsync, "
             "synchronous_commit, full_page_writes and autovacuum of the "
             "target's whole server, and raise maintenance_work_mem and "
             "max_wal_size. If its machine stops meanwhile, all of its "
             "databases are lost. Needs a superuser of the target. Put back "
             "at the end, before clients come (--delay-table-data), by the "
             "next run, and by cleanup."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_SERVER_H_
