#ifndef TOOLS_OPTION_ROWS_SCOPE_H_
#define TOOLS_OPTION_ROWS_SCOPE_H_

// Rows of the option table: which servers, and what of them.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kScopeRows[] = {
    {.id = OptionId::kSource,
     .name = "source",
     .commands = kBothSides | kComparing | SetOf(Command::kCapture) |
                 kWholeServer | kDumping,
     .group = OptionGroup::kConnection,
     .secret = true,
     .placeholder = "URI",
     .help = "The server to move from: any libpq connection string, a URI or "
             "keywords. Keep passwords out of command lines: use the "
             "environment, a service file or a password file."},
    {.id = OptionId::kTarget,
     .name = "target",
     .commands = kLedger | kWholeServer | kRestoring,
     .group = OptionGroup::kConnection,
     .secret = true,
     .placeholder = "URI",
     .help = "The server to move to, in the same notation."},
    {.id = OptionId::kName,
     .name = "name",
     .type = OptionType::kName,
     .default_text = "walferry",
     .maximum = "40",
     .commands = kLedger,
     .group = OptionGroup::kConnection,
     .placeholder = "NAME",
     .help = "Names the migration: one target can hold several. Slot and "
             "publication are named after it."},
    {.id = OptionId::kLedgerSchema,
     .name = "ledger-schema",
     .default_text = "walferry",
     .commands = kLedger,
     .group = OptionGroup::kConnection,
     .placeholder = "SCHEMA",
     .help = "Schema on the target that records what walferry created and "
             "did."},
    {.id = OptionId::kConnectTimeout,
     .name = "connect-timeout",
     .type = OptionType::kDuration,
     .default_text = "8s",
     .minimum = "1s",
     .maximum = "1h",
     .commands = kBothSides | kComparing | kRecording | kWholeServer | kArchive,
     .group = OptionGroup::kConnection,
     .placeholder = "DURATION",
     .help = "How long a server may take to accept a connection."},
    {.id = OptionId::kMode,
     .name = "mode",
     .type = OptionType::kChoice,
     .default_text = "online",
     .choices = "online|offline",
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "MODE",
     .help = "online follows the source's changes until the cutover. offline "
             "copies the source as it is at one moment, large objects too, and "
             "needs no replication: stop the applications before."},
    {.id = OptionId::kSchema,
     .name = "schema",
     .type = OptionType::kList,
     .commands = kMigration | kComparing,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Only schemas that match (* ? [abc]). May be repeated."},
    {.id = OptionId::kExcludeSchema,
     .name = "exclude-schema",
     .type = OptionType::kList,
     .commands = kMigration | kComparing | kDumping,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "No schema that matches. Exclusion wins."},
    {.id = OptionId::kTable,
     .name = "table",
     .type = OptionType::kList,
     .commands = kMigration | kComparing,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Only tables that match: \"orders\" in any schema, or "
             "\"sales.ord*\"."},
    {.id = OptionId::kExcludeTable,
     .name = "exclude-table",
     .type = OptionType::kList,
     .commands = kMigration | kComparing | kDumping,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "No table that matches. Exclusion wins."},
    {.id = OptionId::kExcludeTableData,
     .name = "exclude-table-data",
     .type = OptionType::kList,
     .commands = kMigration | kComparing | kDumping,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Tables that are created but stay empty: their rows are neither "
             "copied, followed nor compared."},
    {.id = OptionId::kDelayTableData,
     .name = "delay-table-data",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Tables whose rows come last: with --mode offline all else makes "
             "the target usable first, and clients may write to these tables, "
             "too. Their keys are there by then, their other indexes come "
             "behind the rows. With --all-databases DB.TABLE or "
             "DB.SCHEMA.TABLE. May be repeated."},
    {.id = OptionId::kSchemaOnly,
     .name = "schema-only",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kDump,
                       Command::kRestore),
     .group = OptionGroup::kScope,
     .reach = OptionReach::kFlag,
     .help =
         "No rows, and no sequences' values. migrate: with --mode offline."},
    {.id = OptionId::kDataOnly,
     .name = "data-only",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kDump,
                       Command::kRestore),
     .group = OptionGroup::kScope,
     .reach = OptionReach::kFlag,
     .help = "Only rows, large objects and sequences' values; the tables must "
             "be on the target. migrate: with --mode offline; columns are "
             "matched by their names, and the tables must be empty."},
    {.id = OptionId::kPublication,
     .name = "publication",
     .type = OptionType::kList,
     .commands = kStreaming | SetOf(Command::kCapture),
     .group = OptionGroup::kScope,
     .placeholder = "NAME",
     .help = "Publication on the source. migrate takes one, and by default "
             "creates walferry_NAME (walferry, if NAME is walferry); follow "
             "and capture take one or more that exist."},
    {.id = OptionId::kSlot,
     .name = "slot",
     .type = OptionType::kName,
     .maximum = "63",
     .commands = kStreaming | SetOf(Command::kCapture),
     .group = OptionGroup::kScope,
     .placeholder = "NAME",
     .help =
         "Replication slot on the source. migrate creates it, by default "
         "as walferry_NAME (walferry, if NAME is walferry); follow needs "
         "one that exists. capture reads one without moving it, or by default "
         "a temporary one that begins now."},
    {.id = OptionId::kAccept,
     .name = "accept",
     .type = OptionType::kList,
     .commands = kMigration | kWholeServer,
     .group = OptionGroup::kScope,
     .placeholder = "FINDING",
     .help = "Go on in spite of this blocking finding of check, given by its "
             "id, such as replica-identity, or for one subject only by "
             "ID:SUBJECT, such as replica-identity:public.log. With "
             "schema-change, go on in spite of a change of the source's schema "
             "during the migration. globals has ids of its own, which its "
             "error names."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_SCOPE_H_
