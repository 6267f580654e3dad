#ifndef TOOLS_OPTION_ROWS_VERIFY_H_
#define TOOLS_OPTION_ROWS_VERIFY_H_

// Rows of the option table: what is proved of two databases, or of an archive.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kVerifyRows[] = {
    {.id = OptionId::kVerify,
     .name = "verify",
     .type = OptionType::kChoice,
     .choices = "off|counts|checksum",
     .commands = kMigration,
     .group = OptionGroup::kVerify,
     .placeholder = "METHOD",
     .help = "How a migration compares both sides before it ends: counts, how "
             "many rows each table has; checksum, every column of every row. "
             "By default counts offline and checksum online, where it is done "
             "before the cutover, and again while the source is still if "
             "--verify-budget allows it. What differs ends an offline run with "
             "exit code 3, and gives a cutover up."},
    {.id = OptionId::kVerifyBudget,
     .name = "verify-budget",
     .type = OptionType::kDuration,
     .default_text = "5s",
     .minimum = "0",
     .maximum = "24h",
     .commands = kMigration,
     .group = OptionGroup::kVerify,
     .placeholder = "DURATION",
     .help = "What a comparison may add to the pause of a cutover: it is done "
             "while the source is still if the one before took no longer."},
    {.id = OptionId::kVerifyEvery,
     .name = "verify-every",
     .type = OptionType::kDuration,
     .default_text = "0",
     .minimum = "0",
     .maximum = "8760h",
     .commands = kMigration,
     .group = OptionGroup::kVerify,
     .placeholder = "DURATION",
     .help = "Compare source and target while changes flow, again so long "
             "after each comparison. 0: only when it is asked for."},
    {.id = OptionId::kMaxSnapshotAge,
     .name = "max-snapshot-age",
     .type = OptionType::kDuration,
     .default_text = "30m",
     .minimum = "1s",
     .maximum = "24h",
     .commands = kMigration | kComparing,
     .group = OptionGroup::kVerify,
     .placeholder = "DURATION",
     .help = "While changes flow: a comparison that takes longer goes on with "
             "a newer state of both sides, so that no server has to keep old "
             "rows for longer."},
    {.id = OptionId::kOnline,
     .name = "online",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kComparing,
     .group = OptionGroup::kVerify,
     .reach = OptionReach::kFlag,
     .help = "Compare while the migration --name follows, and nobody stops "
             "writing: the running migration stops applying at one position "
             "of the source, for some milliseconds, and with --repair until "
             "what differs is repaired."},
    {.id = OptionId::kMethod,
     .name = "method",
     .type = OptionType::kChoice,
     .default_text = "checksum",
     .choices = "estimate|counts|sample|checksum",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .placeholder = "METHOD",
     .help = "How rows are compared. checksum: every column of every row. "
             "sample: the same of a share of each table. counts: how many rows "
             "there are. estimate: the planner's statistics, which take no "
             "time and prove nothing: a difference is a warning."},
    {.id = OptionId::kSample,
     .name = "sample",
     .type = OptionType::kInteger,
     .default_text = "5",
     .minimum = "1",
     .maximum = "100",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .placeholder = "PERCENT",
     .help = "With --method sample: the share of each table's ranges."},
    {.id = OptionId::kSeed,
     .name = "seed",
     .type = OptionType::kInteger,
     .default_text = "1",
     .minimum = "0",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .placeholder = "N",
     .help = "With --method sample: the same number takes the same ranges."},
    {.id = OptionId::kMaxDifferences,
     .name = "max-differences",
     .type = OptionType::kInteger,
     .default_text = "20",
     .minimum = "0",
     .maximum = "10000",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .placeholder = "N",
     .help = "Rows of a table that the text shows. The report as JSON or page "
             "has up to 10,000 of each table."},
    {.id = OptionId::kNoSchema,
     .name = "no-schema",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .help = "Do not compare the schemas: indexes, constraints, functions, "
             "and the like."},
    {.id = OptionId::kPrivileges,
     .name = "privileges",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kComparing | SetOf(Command::kConfig),
     .group = OptionGroup::kVerify,
     .help = "Also compare who owns what and may do what with it."},
    {.id = OptionId::kRestart,
     .name = "restart",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kComparing,
     .group = OptionGroup::kVerify,
     .reach = OptionReach::kFlag,
     .help = "Compare everything anew, also what an interrupted run has found "
             "equal."},
    {.id = OptionId::kRepair,
     .name = "repair",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kComparing,
     .group = OptionGroup::kVerify,
     .reach = OptionReach::kFlag,
     .help = "Make the rows that differ on the target as they are on the "
             "source, and compare again. With --dry-run print the SQL "
             "instead."},
    {.id = OptionId::kChecks,
     .name = "checks",
     .commands = kComparing | SetOf(Command::kDrill, Command::kConfig),
     .group = OptionGroup::kVerify,
     .file = true,
     .placeholder = "FILE",
     .help = "Queries of your own (TOML): [[check]] with name, sql, and either "
             "expect, perhaps with a tolerance such as 10 or \"5%\", or min "
             "and max. verify compares the answers of both sides, and needs "
             "none of these."},
    {.id = OptionId::kReport,
     .name = "report",
     .commands = kComparing | SetOf(Command::kDrill),
     .group = OptionGroup::kVerify,
     .reach = OptionReach::kFlag,
     .file = true,
     .placeholder = "FILE",
     .help = "Also write the report to FILE: as JSON or a page if it ends in "
             ".json or .html, as text if in .txt. It is written in any case, "
             "also to say why nothing could be proved."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_VERIFY_H_
