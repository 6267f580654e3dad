#ifndef ENGINE_SERVER_DATABASE_COMPARISON_H_
#define ENGINE_SERVER_DATABASE_COMPARISON_H_

// What a comparison with its source has found of a database that was moved, and
// its note in the ledger of the whole: what was found equal is not compared
// again. With delayed tables there are two: what all but those was like before
// clients came is known by its own note alone, as it cannot be compared later.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/comparison.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger/ledger.h"
#include "engine/options.h"
#include "engine/verify/verification.h"

namespace walferry {

// Compares what a migration has made with its source. "": it is equal,
// otherwise what differs, a sentence without its full stop. An error: nobody
// knows. Thread-safe.
using CompareDatabase = std::function<absl::StatusOr<std::string>(
    const MigrateOptions& migrate, VerifyShare share, Control& control,
    EventSink& events)>;

// Whether it was found equal by a method that proves as much as `method`.
bool Settles(const ComparisonResult& comparison, VerifyMethod method);

// Of kBeforeClients, and of the others, which stand for the database.
absl::string_view ComparisonKind(VerifyShare share);

// Which database of its name it is, and which beginning of its migration:
// notes of another one are not believed. `oid`: of the target's, see
// DatabaseOid (server_ledger.h). `begun`: by its own ledger.
std::string ComparedDatabase(const std::string& oid, absl::Time begun);

LedgerObject ComparisonNoteOf(VerifyShare share, const std::string& database,
                              const std::string& compared,
                              const ComparisonResult& comparison);
// kNone if nothing is noted, or not of `compared`.
ComparisonResult NotedComparison(VerifyShare share,
                                 const std::vector<LedgerObject>& objects,
                                 const std::string& database,
                                 const std::string& compared);
// What there is to be known of the database.
ComparisonResult KnownComparison(const std::vector<LedgerObject>& objects,
                                 const std::string& database,
                                 const std::string& compared);
// The note that says nothing where nothing is compared: of a comparison that
// has not come to its end, or before clients, who are not there yet, an equal
// one.
bool SaysNothing(const LedgerObject& note, const std::string& database);

// Once clients work on it: why all but the delayed tables is not known to be
// equal by `method`, for which `before` was noted. "": it is.
std::string DoubtOf(const ComparisonResult& before, VerifyMethod method);

}  // namespace walferry

#endif  // ENGINE_SERVER_DATABASE_COMPARISON_H_
