#ifndef TOOLS_OPTION_TABLE_H_
#define TOOLS_OPTION_TABLE_H_

// The one definition of every setting. Flags, environment, configuration file,
// help, manual, completion, `walferry config` and redaction come from it.
//
// A new option: an enumerator, a row in the option_rows_*.h of its group, and a
// line in option_binding.cc that hands its value to the engine.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/command_table.h"

namespace walferry {

enum class OptionId {
  kSource,
  kTarget,
  kName,
  kLedgerSchema,
  kConnectTimeout,
  kMode,
  kSchema,
  kExcludeSchema,
  kTable,
  kExcludeTable,
  kExcludeTableData,
  kDelayTableData,
  kSchemaOnly,
  kDataOnly,
  kPublication,
  kSlot,
  kAccept,
  kVia,
  kDropTargetFirst,
  kYes,
  kJobs,
  kIndexJobs,
  kSplitSize,
  kNoOwner,
  kNoAcl,
  kNoSequenceSync,
  kNoAnalyze,
  kInserts,
  kPgDump,
  kUpdateExisting,
  kNoRolePasswords,
  kTablespaceMapping,
  kDryRun,
  kAllDatabases,
  kDatabase,
  kExcludeDatabase,
  kUseExisting,
  kNoGlobals,
  kMaxParallel,
  kDumpParallel,
  kRestoreParallel,
  kVerifyConcurrency,
  kFastTarget,
  kPollInterval,
  kLagThreshold,
  kMemory,
  kApplyJobs,
  kBinary,
  kReceiveTimeout,
  kRetryFor,
  kUntilLsn,
  kCutover,
  kFreeze,
  kCutoverTimeout,
  kKeepSlot,
  kKeepPublication,
  kWait,
  kVerify,
  kVerifyBudget,
  kVerifyEvery,
  kMaxSnapshotAge,
  kOnline,
  kMethod,
  kSample,
  kSeed,
  kMaxDifferences,
  kNoSchema,
  kPrivileges,
  kRestart,
  kRepair,
  kChecks,
  kReport,
  kOutput,
  kInput,
  kDecode,
  kApply,
  kRepeat,
  kFormat,
  kCompress,
  kArchiveDir,
  kDiskShare,
  kAllowRestoreErrors,
  kAllowPartial,
  kMaxAge,
  kKeep,
  kJson,
  kEvents,
  kLogFormat,
  kLogLevel,
  kNoColor,
  kForce,
  kConfig,
  kShow,
  kExample,
  kHelp,
};
inline constexpr size_t kOptionCount = static_cast<size_t>(OptionId::kHelp) + 1;

enum class OptionType {
  kString,
  // A PostgreSQL name of lower-case letters, digits and _; `maximum` is its
  // greatest length.
  kName,
  // Given several times, or divided by commas.
  kList,
  // Present or not; also --flag=false, and true or false elsewhere.
  kFlag,
  kInteger,
  // Bytes: 4096, 64KiB, 1GiB (powers of 1024).
  kSize,
  // 500ms, 10s, 5m, 1h30m.
  kDuration,
  // A log position, X/Y.
  kLsn,
  kChoice,
};

// Where an option may be set besides the command line.
enum class OptionReach { kFlag, kEnvironment, kEverywhere };

// Headings of help and manual, in their order there and in the table.
enum class OptionGroup {
  kConnection,
  kScope,
  kCopy,
  kServer,
  kStream,
  kCutover,
  kVerify,
  kCapture,
  kArchive,
  kOutput,
  kGeneral,
};

struct OptionSpec {
  OptionId id;
  absl::string_view name;  // Without the dashes; also the configuration key.
  OptionType type = OptionType::kString;
  absl::string_view default_text = "";  // "": none, or said by `help`.
  // Bounds in the option's own notation; "" means unbounded.
  absl::string_view minimum = "";
  absl::string_view maximum = "";
  absl::string_view choices = "";  // "manual|auto".
  CommandSet commands = 0;
  OptionGroup group = OptionGroup::kGeneral;
  OptionReach reach = OptionReach::kEverywhere;
  // May hold a password: shown only with that taken out.
  bool secret = false;
  // Its value names a file, for completion.
  bool file = false;
  absl::string_view placeholder = "";  // "URI"; "" for flags.
  absl::string_view help = "";         // Sentences.
};

absl::Span<const OptionSpec> Options();
const OptionSpec& SpecOf(OptionId id);
// By its name without dashes; nullptr: there is none.
const OptionSpec* FindOption(absl::string_view name);

absl::string_view GroupTitle(OptionGroup group);

// "WALFERRY_SPLIT_SIZE", or "" where the environment cannot set it.
std::string EnvironmentName(const OptionSpec& spec);

// The commands that a section of the configuration file can be for.
CommandSet ConfigurableCommands();

}  // namespace walferry

#endif  // TOOLS_OPTION_TABLE_H_
