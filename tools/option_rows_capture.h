#ifndef TOOLS_OPTION_ROWS_CAPTURE_H_
#define TOOLS_OPTION_ROWS_CAPTURE_H_

// Rows of the option table: files that are read and written, recording a
// stream and running the record.

#include "tools/option_commands.h"
#include "tools/option_table.h"

namespace walferry {

inline constexpr OptionSpec kCaptureRows[] = {
    {.id = OptionId::kOutput,
     .name = "output",
     .commands = SetOf(Command::kCapture, Command::kDump),
     .group = OptionGroup::kCapture,
     .reach = OptionReach::kFlag,
     .file = true,
     .placeholder = "PATH",
     .help = "capture: the file to write, compressed with zstd. dump: the "
             "folder to make, by default one named after database and time in "
             "--archive-dir. What exists is never written over."},
    {.id = OptionId::kInput,
     .name = "input",
     .commands = SetOf(Command::kCheck, Command::kMigrate, Command::kReplay) |
                 kRestoring,
     .group = OptionGroup::kCapture,
     .reach = OptionReach::kFlag,
     .file = true,
     .placeholder = "PATH",
     .help = "replay: the record, which is read into memory first. restore and "
             "drill: the archive, a folder or a file. migrate --via archive: "
             "an archive of the source that is taken instead of a new one."},
    {.id = OptionId::kDecode,
     .name = "decode",
     .type = OptionType::kFlag,
     .default_text = "false",
     .commands = SetOf(Command::kReplay),
     .group = OptionGroup::kCapture,
     .reach = OptionReach::kFlag,
     .help = "Decode every message and walk every value, and do nothing else: "
             "no server is needed."},
    {.id = OptionId::kApply,
     .name = "apply",
     .commands = SetOf(Command::kReplay),
     .group = OptionGroup::kCapture,
     .reach = OptionReach::kFlag,
     .secret = true,
     .placeholder = "URI",
     .help = "Apply the changes to this server's existing tables, whose rows "
             "must be those at the beginning of the record. Takes no target "
             "from the environment: this changes data."},
    {.id = OptionId::kRepeat,
     .name = "repeat",
     .type = OptionType::kInteger,
     .default_text = "1",
     .minimum = "1",
     .maximum = "1000000",
     .commands = SetOf(Command::kReplay),
     .group = OptionGroup::kCapture,
     .reach = OptionReach::kFlag,
     .placeholder = "N",
     .help = "With --decode: so many times."},
};

}  // namespace walferry

#endif  // TOOLS_OPTION_ROWS_CAPTURE_H_
