// What was moved is compared with its source, database by database.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/server/database_comparison.h"
#include "engine/server/server_run.h"
#include "engine/turns.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using State = DatabaseComparison::State;

}  // namespace

absl::Status ServerRun::NoteComparison(const DatabasePlan& plan,
                                       const DatabaseComparison& comparison,
                                       EventSink& events) {
  return Persist(
      events, [&](PgConnection& target, Ledger& ledger) -> absl::Status {
        ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, plan.name));
        return ledger.AddObject(ComparisonNoteOf(plan.name, oid, comparison));
      });
}

// Nothing is noted of what is equal: the database's own ledger says that
// clients may come, and that stands for it.
absl::Status ServerRun::CompareBeforeClients(size_t place,
                                             const DatabasePlan& plan,
                                             const MigrateOptions& migrate,
                                             EventSink& events) {
  if (!options_.compare) return absl::OkStatus();
  DatabaseComparison& comparison = comparisons_[place];
  comparison.method = options_.verify;
  ASSIGN_OR_RETURN(
      comparison.found,
      options_.compare(migrate, VerifyShare::kBeforeClients, control_, events));
  comparison.state =
      comparison.found.empty() ? State::kNone : State::kDifferent;
  RETURN_IF_ERROR(NoteComparison(plan, comparison, events));
  if (comparison.found.empty()) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      comparison.found,
                      "; clients were not told that they may work on it")),
                  "look at the rows with walferry verify, and run the same "
                  "command again: it compares again; with --verify off it lets "
                  "clients in as it is");
}

absl::Status ServerRun::CompareMoved(size_t place, const DatabasePlan& plan,
                                     const MigrateOptions& migrate,
                                     EventSink& events) {
  if (!options_.compare) return absl::OkStatus();
  DatabaseComparison& comparison = comparisons_[place];
  RETURN_IF_ERROR(Persist(
      events, [&](PgConnection& target, Ledger& ledger) -> absl::Status {
        ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, plan.name));
        ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects,
                         ledger.Objects());
        comparison = NotedComparison(objects, plan.name, oid);
        return absl::OkStatus();
      }));
  if (Settles(comparison, options_.verify)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Turn turn,
                   Turn::Take(&turns_, Work::kCompare, control_.interrupt()));
  comparison = {.state = State::kComparing, .method = options_.verify};
  RETURN_IF_ERROR(NoteComparison(plan, comparison, events));
  absl::StatusOr<std::string> found = options_.compare(
      migrate,
      migrate.scope.delay_table_data.empty() ? VerifyShare::kAll
                                             : VerifyShare::kBehindClients,
      control_, events);
  // The next run goes on with it.
  if (absl::IsCancelled(found.status())) return found.status();
  if (found.ok()) {
    comparison.state = found->empty() ? State::kEqual : State::kDifferent;
    comparison.found = *std::move(found);
    return NoteComparison(plan, comparison, events);
  }
  comparison.state = State::kUnknown;
  comparison.found = std::string(found.status().message());
  // The error itself is what matters; the note is for `walferry status`.
  NoteComparison(plan, comparison, events).IgnoreError();
  return found.status();
}

}  // namespace walferry
