#ifndef ENGINE_COMPARISON_H_
#define ENGINE_COMPARISON_H_

// What a comparison of a migration's target with its source has found.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace walferry {

enum class VerifyMethod {
  kOff,
  kEstimate,  // The planner's statistics; a difference is a warning only.
  kCounts,    // Rows of each table, exactly.
  kSample,    // As kChecksum, of a share of the key ranges.
  kChecksum,  // Every column of every row.
};
absl::string_view VerifyMethodName(VerifyMethod method);  // "counts"

struct ComparisonResult {
  enum class State {
    kNone,
    kComparing,  // Or a run was stopped that did.
    kEqual,
    kDifferent,
    kUnknown,  // Nobody knows.
  };
  State state = State::kNone;
  VerifyMethod method = VerifyMethod::kOff;
  std::string found;                     // What differs, or why nobody knows.
  absl::Time at = absl::InfinitePast();  // Of that state, if it is known.
};
// "" (of kNone), "comparing", "equal", "different", "unknown".
absl::string_view ComparisonStateName(ComparisonResult::State state);

// One as the ledger takes it.
struct ComparisonNote {
  ComparisonResult result;
  // Of all but delayed tables (engine/catalog/delayed_tables.h).
  bool before_clients = false;
  // Report::begun of the migration that was compared; infinite past: of
  // whichever has its name.
  absl::Time begun = absl::InfinitePast();
};

}  // namespace walferry

#endif  // ENGINE_COMPARISON_H_
