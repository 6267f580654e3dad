#ifndef TOOLS_EXIT_CODE_H_
#define TOOLS_EXIT_CODE_H_

// What walferry's exit code tells a script.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace walferry {

enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  // The command line, the environment or the configuration file is wrong;
  // nothing was tried.
  kUsage = 2,
  // What was asked for is done, and what came of it is not as it should be: a
  // drill has found faults, a comparison differences, or a restore was allowed
  // to go on after errors.
  kDifferences = 3,
  // Interrupted, or what was waited for took too long: the same command goes
  // on where this one stopped (EX_TEMPFAIL of sysexits.h).
  kResumable = 75,
};

// Of a command that ended with `status`. Usage errors never come here: they
// are found before the engine is asked for anything.
ExitCode ExitCodeOf(const absl::Status& status);

// For help and manual.
struct ExitCodeMeaning {
  ExitCode code;
  absl::string_view meaning;
};
absl::Span<const ExitCodeMeaning> ExitCodeMeanings();

}  // namespace walferry

#endif  // TOOLS_EXIT_CODE_H_
