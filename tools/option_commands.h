#ifndef TOOLS_OPTION_COMMANDS_H_
#define TOOLS_OPTION_COMMANDS_H_

// Sets of commands that share options.

#include "tools/command_table.h"

namespace walferry {

// What `check` looks at is what `migrate` would do, so it takes its options.
inline constexpr CommandSet kMigration =
    SetOf(Command::kCheck, Command::kMigrate, Command::kConfig);
inline constexpr CommandSet kStreaming = kMigration | SetOf(Command::kFollow);
inline constexpr CommandSet kBothSides = kStreaming | SetOf(Command::kCleanup);
// It compares two databases and changes nothing.
inline constexpr CommandSet kComparing = SetOf(Command::kVerify);
// They read or write a migration's ledger.
inline constexpr CommandSet kLedger =
    kBothSides | kComparing | SetOf(Command::kCutover, Command::kStatus);
// They look at, or are told of, a move of all databases.
inline constexpr CommandSet kServerMigration =
    kMigration | SetOf(Command::kCutover, Command::kStatus, Command::kCleanup);
inline constexpr CommandSet kRecording =
    SetOf(Command::kCapture, Command::kReplay);
// What belongs to a server as a whole.
inline constexpr CommandSet kWholeServer =
    SetOf(Command::kGlobals, Command::kConfig);
// The same, with what comes along when all its databases are moved.
inline constexpr CommandSet kServerMoves = kWholeServer | kMigration;
// They speak of archives on disk.
inline constexpr CommandSet kArchive =
    SetOf(Command::kDump, Command::kRestore, Command::kDrill);
// They write an archive, or may have to.
inline constexpr CommandSet kDumping = SetOf(Command::kDump, Command::kDrill);
inline constexpr CommandSet kRestoring =
    SetOf(Command::kRestore, Command::kDrill);
inline constexpr CommandSet kEngine =
    kLedger | kRecording | kWholeServer | kArchive;
inline constexpr CommandSet kEvery =
    kEngine | SetOf(Command::kCompletion, Command::kMan, Command::kVersion);

}  // namespace walferry

#endif  // TOOLS_OPTION_COMMANDS_H_
