#ifndef ENGINE_SERVER_DATABASE_COMPARISON_H_
#define ENGINE_SERVER_DATABASE_COMPARISON_H_

// What a comparison with its source has found of a database that was moved, and
// its note in the ledger of the whole: what was found equal is not compared
// again.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger.h"
#include "engine/options.h"
#include "engine/verify/verification.h"

namespace walferry {

// Compares what a migration has made with its source. "": it is equal,
// otherwise what differs, a sentence without its full stop. An error: nobody
// knows. Thread-safe.
using CompareDatabase = std::function<absl::StatusOr<std::string>(
    const MigrateOptions& migrate, VerifyShare share, Control& control,
    EventSink& events)>;

struct DatabaseComparison {
  enum class State {
    kNone,
    kComparing,  // Or a run was stopped that did.
    kEqual,
    kDifferent,
    kUnknown,  // Nobody knows.
  };
  State state = State::kNone;
  VerifyMethod method = VerifyMethod::kOff;
  std::string found;  // What differs, or why nobody knows.
};
// "" (of kNone), "comparing", "equal", "different", "unknown".
absl::string_view ComparisonStateName(DatabaseComparison::State state);

// Whether it was found equal by a method that proves as much as `method`.
bool Settles(const DatabaseComparison& comparison, VerifyMethod method);

inline constexpr absl::string_view kComparisonKind = "comparison";

// `oid`: of the target's database, see DatabaseOid (server_ledger.h).
LedgerObject ComparisonNoteOf(const std::string& database,
                              const std::string& oid,
                              const DatabaseComparison& comparison);
// kNone if nothing is noted, or of another database of that name.
DatabaseComparison NotedComparison(const std::vector<LedgerObject>& objects,
                                   const std::string& database,
                                   const std::string& oid);

}  // namespace walferry

#endif  // ENGINE_SERVER_DATABASE_COMPARISON_H_
