#include "tools/option_table.h"

#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace walferry {
namespace {

// What `check` looks at is what `migrate` would do, so it takes its options.
constexpr CommandSet kMigration =
    SetOf(Command::kCheck, Command::kMigrate, Command::kConfig);
constexpr CommandSet kStreaming = kMigration | SetOf(Command::kFollow);
constexpr CommandSet kBothSides = kStreaming | SetOf(Command::kCleanup);
constexpr CommandSet kEngine =
    kBothSides | SetOf(Command::kCutover, Command::kStatus);
constexpr CommandSet kEvery =
    kEngine | SetOf(Command::kCompletion, Command::kMan, Command::kVersion);

constexpr OptionSpec kOptions[] = {
    {.id = OptionId::kSource,
     .name = "source",
     .commands = kBothSides,
     .group = OptionGroup::kConnection,
     .secret = true,
     .placeholder = "URI",
     .help = "The server to move from: any libpq connection string, a URI or "
             "keywords. Keep passwords out of command lines: use the "
             "environment, a service file or a password file."},
    {.id = OptionId::kTarget,
     .name = "target",
     .commands = kEngine,
     .group = OptionGroup::kConnection,
     .secret = true,
     .placeholder = "URI",
     .help = "The server to move to, in the same notation."},
    {.id = OptionId::kName,
     .name = "name",
     .type = OptionType::kName,
     .default_text = "walferry",
     .maximum = "40",
     .commands = kEngine,
     .group = OptionGroup::kConnection,
     .placeholder = "NAME",
     .help = "Names the migration: one target can hold several. Slot and "
             "publication are named after it."},
    {.id = OptionId::kLedgerSchema,
     .name = "ledger-schema",
     .default_text = "walferry",
     .commands = kEngine,
     .group = OptionGroup::kConnection,
     .placeholder = "SCHEMA",
     .help = "Schema on the target that records what walferry created and "
             "did."},
    {.id = OptionId::kConnectTimeout,
     .name = "connect-timeout",
     .type = OptionType::kDuration,
     .default_text = "10s",
     .minimum = "1s",
     .maximum = "1h",
     .commands = kBothSides,
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
     .help = "online follows the source's changes until the cutover. This "
             "version migrates online only."},
    {.id = OptionId::kSchema,
     .name = "schema",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Only schemas that match (* ? [abc]). May be repeated."},
    {.id = OptionId::kExcludeSchema,
     .name = "exclude-schema",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "No schema that matches. Exclusion wins."},
    {.id = OptionId::kTable,
     .name = "table",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Only tables that match: \"orders\" in any schema, or "
             "\"sales.ord*\"."},
    {.id = OptionId::kExcludeTable,
     .name = "exclude-table",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "No table that matches. Exclusion wins."},
    {.id = OptionId::kExcludeTableData,
     .name = "exclude-table-data",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "PATTERN",
     .help = "Tables that are created but stay empty: their rows are neither "
             "copied nor followed."},
    {.id = OptionId::kPublication,
     .name = "publication",
     .type = OptionType::kList,
     .commands = kStreaming,
     .group = OptionGroup::kScope,
     .placeholder = "NAME",
     .help = "Publication on the source. migrate takes one, and by default "
             "creates walferry_NAME; follow takes one or more that exist."},
    {.id = OptionId::kSlot,
     .name = "slot",
     .type = OptionType::kName,
     .maximum = "63",
     .commands = kStreaming,
     .group = OptionGroup::kScope,
     .placeholder = "NAME",
     .help = "Replication slot on the source. migrate creates it, by default "
             "as walferry_NAME; follow needs one that exists."},
    {.id = OptionId::kAccept,
     .name = "accept",
     .type = OptionType::kList,
     .commands = kMigration,
     .group = OptionGroup::kScope,
     .placeholder = "FINDING",
     .help = "Go on in spite of this blocking finding of check, given by its "
             "id, such as replica-identity."},
    {.id = OptionId::kJobs,
     .name = "jobs",
     .type = OptionType::kInteger,
     .default_text = "4",
     .minimum = "1",
     .maximum = "256",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .placeholder = "N",
     .help = "Tables, or ranges of large tables, copied at once."},
    {.id = OptionId::kIndexJobs,
     .name = "index-jobs",
     .type = OptionType::kInteger,
     .default_text = "2",
     .minimum = "1",
     .maximum = "256",
     .commands = kMigration,
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
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .help = "Do not restore who owns what: everything belongs to the "
             "target's role."},
    {.id = OptionId::kNoAcl,
     .name = "no-acl",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
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
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .help = "Do not collect planner statistics on the target."},
    {.id = OptionId::kPgDump,
     .name = "pg-dump",
     .commands = kMigration,
     .group = OptionGroup::kCopy,
     .file = true,
     .placeholder = "PATH",
     .help = "The pg_dump program. By default one that is new enough is "
             "looked for on PATH and where distributions install it."},
    {.id = OptionId::kPollInterval,
     .name = "poll-interval",
     .type = OptionType::kDuration,
     .default_text = "1s",
     .minimum = "10ms",
     .maximum = "1m",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "DURATION",
     .help = "How often progress and lag are measured."},
    {.id = OptionId::kLagThreshold,
     .name = "lag-threshold",
     .type = OptionType::kSize,
     .default_text = "64KiB",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "SIZE",
     .help = "The target has caught up once it is no further behind."},
    {.id = OptionId::kBatchSize,
     .name = "batch-size",
     .type = OptionType::kSize,
     .default_text = "4MiB",
     .minimum = "4KiB",
     .maximum = "1GiB",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "SIZE",
     .help = "Source transactions are applied together up to this size."},
    {.id = OptionId::kQueueSize,
     .name = "queue-size",
     .type = OptionType::kSize,
     .default_text = "64MiB",
     .minimum = "4KiB",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "SIZE",
     .help = "Received changes that wait for the target; beyond it nothing "
             "more is read. At least the batch size."},
    {.id = OptionId::kReceiveTimeout,
     .name = "receive-timeout",
     .type = OptionType::kDuration,
     .default_text = "1m",
     .minimum = "1s",
     .maximum = "24h",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "DURATION",
     .help = "Reconnect when the source has said nothing for so long."},
    {.id = OptionId::kRetryFor,
     .name = "retry-for",
     .type = OptionType::kDuration,
     .default_text = "10m",
     .minimum = "0",
     .maximum = "8760h",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "DURATION",
     .help = "How long a lost server is retried before the run gives up, to "
             "be resumed later."},
    {.id = OptionId::kUntilLsn,
     .name = "until-lsn",
     .type = OptionType::kLsn,
     .commands = SetOf(Command::kFollow, Command::kConfig),
     .group = OptionGroup::kStream,
     .placeholder = "X/Y",
     .help = "End once everything that committed before this position of the "
             "source is applied."},
    {.id = OptionId::kCutover,
     .name = "cutover",
     .type = OptionType::kChoice,
     .default_text = "manual",
     .choices = "manual|auto",
     .commands = kMigration,
     .group = OptionGroup::kCutover,
     .placeholder = "WHEN",
     .help = "auto cuts over as soon as the target has caught up; manual waits "
             "for `walferry cutover` or Ctrl+C."},
    {.id = OptionId::kFreeze,
     .name = "freeze",
     .type = OptionType::kChoice,
     .default_text = "none",
     .choices = "none|read-only",
     .commands = kMigration,
     .group = OptionGroup::kCutover,
     .placeholder = "HOW",
     .help = "How the source is kept still at the cutover: none waits until "
             "you have stopped the writers; read-only makes the database "
             "read-only and ends the sessions that could still write."},
    {.id = OptionId::kCutoverTimeout,
     .name = "cutover-timeout",
     .type = OptionType::kDuration,
     .default_text = "5m",
     .minimum = "1s",
     .maximum = "24h",
     .commands = kMigration,
     .group = OptionGroup::kCutover,
     .placeholder = "DURATION",
     .help = "A cutover that finds no quiet source for so long is given up, "
             "and following goes on."},
    {.id = OptionId::kKeepSlot,
     .name = "keep-slot",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kCutover,
     .help = "Leave the replication slot on the source after the cutover."},
    {.id = OptionId::kKeepPublication,
     .name = "keep-publication",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = kMigration,
     .group = OptionGroup::kCutover,
     .help = "Leave the publication on the source after the cutover."},
    {.id = OptionId::kWait,
     .name = "wait",
     .type = OptionType::kDuration,
     .default_text = "10m",
     .minimum = "0",
     .maximum = "24h",
     .commands = SetOf(Command::kCutover, Command::kConfig),
     .group = OptionGroup::kCutover,
     .placeholder = "DURATION",
     .help = "How long to wait for the running migration's report."},
    {.id = OptionId::kForce,
     .name = "force",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCleanup),
     .group = OptionGroup::kGeneral,
     .reach = OptionReach::kFlag,
     .help = "Also end a connection that still uses the slot."},
    {.id = OptionId::kJson,
     .name = "json",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kCheck, Command::kCutover, Command::kStatus),
     .group = OptionGroup::kOutput,
     .reach = OptionReach::kFlag,
     .help = "Print the result as JSON."},
    {.id = OptionId::kEvents,
     .name = "events",
     .commands = SetOf(Command::kMigrate, Command::kFollow, Command::kConfig),
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
     .help = "No colours, also when NO_COLOR is set."},
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

constexpr bool InOrderOfEnumerators() {
  for (size_t row = 0; row < std::size(kOptions); ++row) {
    if (static_cast<size_t>(kOptions[row].id) != row) return false;
  }
  return std::size(kOptions) == kOptionCount;
}
static_assert(InOrderOfEnumerators(), "SpecOf() looks up by position");

}  // namespace

absl::Span<const OptionSpec> Options() { return kOptions; }

const OptionSpec& SpecOf(OptionId id) {
  return kOptions[static_cast<size_t>(id)];
}

const OptionSpec* FindOption(absl::string_view name) {
  for (const OptionSpec& spec : kOptions) {
    if (spec.name == name) return &spec;
  }
  return nullptr;
}

absl::string_view GroupTitle(OptionGroup group) {
  switch (group) {
    case OptionGroup::kConnection:
      return "Connections";
    case OptionGroup::kScope:
      return "What is moved";
    case OptionGroup::kCopy:
      return "Schema and copy";
    case OptionGroup::kStream:
      return "Following changes";
    case OptionGroup::kCutover:
      return "Cutover";
    case OptionGroup::kOutput:
      return "Output";
    case OptionGroup::kGeneral:
      return "General";
  }
  return "";
}

std::string EnvironmentName(const OptionSpec& spec) {
  if (spec.reach == OptionReach::kFlag) return "";
  return absl::StrCat("WALFERRY_", absl::AsciiStrToUpper(absl::StrReplaceAll(
                                       spec.name, {{"-", "_"}})));
}

CommandSet ConfigurableCommands() { return kEngine & ~SetOf(Command::kConfig); }

}  // namespace walferry
