#ifndef TOOLS_OPTION_ROWS_STREAM_H_
#define TOOLS_OPTION_ROWS_STREAM_H_

// Rows of the option table: following changes, and the cutover that ends it.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kStreamRows[] = {
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
    {.id = OptionId::kMemory,
     .name = "memory",
     .type = OptionType::kSize,
     .default_text = "256MiB",
     .minimum = "64MiB",
     .maximum = "64GiB",
     .commands = kStreaming | SetOf(Command::kReplay),
     .group = OptionGroup::kStream,
     .placeholder = "SIZE",
     .help =
         "What walferry aims to stay within while it applies changes. With "
         "more, more transactions are applied together; one that does not "
         "fit is applied piece by piece, and committed as a whole. Besides, "
         "each applying session holds up to 8MiB of statements on their "
         "way to the target, and a single row is held as a whole."},
    {.id = OptionId::kApplyJobs,
     .name = "apply-jobs",
     .type = OptionType::kInteger,
     .default_text = "1",
     .minimum = "1",
     .maximum = "64",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "N",
     .help = "Sessions of the target that apply batches side by side; they "
             "commit in the source's order. More than one pays where the "
             "target is slower or further away than the source."},
    {.id = OptionId::kBinary,
     .name = "binary",
     .type = OptionType::kChoice,
     .default_text = "auto",
     .choices = "auto|off",
     .commands = kStreaming,
     .group = OptionGroup::kStream,
     .placeholder = "WHEN",
     .help =
         "auto lets a source from PostgreSQL 14 on send values in binary "
         "form where every published column has the same type on both sides "
         "and its binary form is the same everywhere (the usual built-in "
         "types), which is faster; off has them sent as text, which is as "
         "exact."},
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
             "be resumed later. One that does not answer at the start is not "
             "retried."},
    {.id = OptionId::kUntilLsn,
     .name = "until-lsn",
     .type = OptionType::kLsn,
     .commands = SetOf(Command::kFollow, Command::kConfig, Command::kCapture),
     .group = OptionGroup::kStream,
     .placeholder = "X/Y",
     .help = "End once everything that committed before this position of the "
             "source is applied, or recorded."},
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
             "and following goes on. --cutover auto without --freeze waits on; "
             "with it, it tries again after as long."},
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
     .help = "How long to wait for the running migration's report. The request "
             "stands after that; Ctrl+C withdraws it."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_STREAM_H_
