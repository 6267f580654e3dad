// What was moved is compared with its source, database by database.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/ledger/ledger_time.h"
#include "engine/migration/migration.h"
#include "engine/server/database_comparison.h"
#include "engine/server/server_run.h"
#include "engine/turns.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using State = ComparisonResult::State;

// By its own ledger.
struct Course {
  absl::Time begun = absl::UnixEpoch();
  // Clients came before all of it was there: some of its tables are delayed,
  // which the patterns alone do not say.
  bool clients_came = false;
};

absl::StatusOr<Course> CourseOf(const Endpoints& of_database,
                                const Interrupt& interrupt) {
  const Connector connector{.endpoints = of_database, .interrupt = &interrupt};
  ASSIGN_OR_RETURN(PgConnection target, connector.OpenTarget("compare"));
  Ledger ledger(target, {.schema = of_database.ledger_schema,
                         .migration = of_database.name});
  ASSIGN_OR_RETURN(const std::optional<LedgerMigration> row, ledger.Read());
  if (!row) return Course();
  ASSIGN_OR_RETURN(const auto begun, LedgerTime(row->started_at));
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger.StepsDone());
  return Course{.begun = begun.value_or(absl::UnixEpoch()),
                .clients_came = absl::c_linear_search(steps, kUsableStep)};
}

}  // namespace

absl::StatusOr<ServerRun::Moved> ServerRun::WhatWasMoved(
    const DatabasePlan& plan, const MigrateOptions& migrate,
    EventSink& events) {
  Moved moved;
  RETURN_IF_ERROR(
      Persist(events, [&](PgConnection& target, Ledger&) -> absl::Status {
        ASSIGN_OR_RETURN(const std::string oid, DatabaseOid(target, plan.name));
        ASSIGN_OR_RETURN(const Course course,
                         CourseOf(migrate.endpoints, control_.interrupt()));
        moved = {.begun = course.begun,
                 .compared = ComparedDatabase(oid, course.begun),
                 .share = course.clients_came ? VerifyShare::kBehindClients
                                              : VerifyShare::kAll};
        return absl::OkStatus();
      }));
  return moved;
}

absl::Status ServerRun::Note(const LedgerObject& note, EventSink& events) {
  return Persist(events, [&](PgConnection&, Ledger& ledger) {
    return ledger.AddObject(note);
  });
}

// For who asks for this database alone; what the move goes by is the note in
// the ledger of the whole.
void ServerRun::NoteInItsLedger(const MigrateOptions& migrate,
                                const ComparisonNote& note, EventSink& events) {
  const absl::Status noted = NoteComparison(migrate.endpoints, note, control_);
  if (noted.ok() || absl::IsCancelled(noted)) return;
  events.OnEvent(
      Notice{.level = Notice::Level::kWarning,
             .text = absl::StrCat("the database's own ledger does not tell of "
                                  "this comparison: ",
                                  noted.message())});
}

absl::Status ServerRun::ForgetWhatSaysNothing(const DatabasePlan& plan,
                                              EventSink& events) {
  return Persist(events, [&](PgConnection&, Ledger& ledger) -> absl::Status {
    ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger.Objects());
    for (const LedgerObject& note : objects) {
      if (!SaysNothing(note, plan.name)) continue;
      RETURN_IF_ERROR(ledger.RemoveObject(note));
    }
    return absl::OkStatus();
  });
}

absl::Status ServerRun::CompareBeforeClients(size_t place,
                                             const DatabasePlan& plan,
                                             const MigrateOptions& migrate,
                                             EventSink& events) {
  // Rows may have been copied anew since they were found equal.
  if (!options_.compare) return ForgetWhatSaysNothing(plan, events);
  ASSIGN_OR_RETURN(const Moved moved, WhatWasMoved(plan, migrate, events));
  ComparisonResult before = {.method = options_.verify};
  ASSIGN_OR_RETURN(
      before.found,
      options_.compare(migrate, VerifyShare::kBeforeClients, control_, events));
  before.state = before.found.empty() ? State::kEqual : State::kDifferent;
  RETURN_IF_ERROR(Note(ComparisonNoteOf(VerifyShare::kBeforeClients, plan.name,
                                        moved.compared, before),
                       events));
  if (before.state == State::kEqual) return absl::OkStatus();
  comparisons_[place] = before;
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          before.found, "; clients were not told that they may work on it")),
      "look at the rows with walferry verify, and run the same "
      "command again: it compares again; with --verify off it lets "
      "clients in as it is");
}

absl::StatusOr<ComparisonResult> ServerRun::Compare(
    const MigrateOptions& migrate, VerifyShare share,
    const ComparisonResult& before, EventSink& events) {
  ASSIGN_OR_RETURN(const std::string found,
                   options_.compare(migrate, share, control_, events));
  const std::string doubt = share == VerifyShare::kBehindClients
                                ? DoubtOf(before, options_.verify)
                                : "";
  if (found.empty() && !doubt.empty() && before.state != State::kDifferent) {
    return WithHint(absl::FailedPreconditionError(doubt),
                    "walferry verify compares all of it, and with it what "
                    "clients have written; with --verify off the same command "
                    "ends as it is");
  }
  return ComparisonResult{
      .state =
          found.empty() && doubt.empty() ? State::kEqual : State::kDifferent,
      .method = options_.verify,
      .found = absl::StrCat(doubt, doubt.empty() || found.empty() ? "" : "; ",
                            found)};
}

absl::Status ServerRun::CompareMoved(size_t place, const DatabasePlan& plan,
                                     const MigrateOptions& migrate,
                                     EventSink& events) {
  if (online()) return absl::OkStatus();
  if (!options_.compare) return ForgetWhatSaysNothing(plan, events);
  ASSIGN_OR_RETURN(const Moved moved, WhatWasMoved(plan, migrate, events));
  ComparisonResult& comparison = comparisons_[place];
  ComparisonResult before;
  RETURN_IF_ERROR(
      Persist(events, [&](PgConnection&, Ledger& ledger) -> absl::Status {
        ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects,
                         ledger.Objects());
        comparison =
            NotedComparison(moved.share, objects, plan.name, moved.compared);
        before = NotedComparison(VerifyShare::kBeforeClients, objects,
                                 plan.name, moved.compared);
        return absl::OkStatus();
      }));
  if (Settles(comparison, options_.verify)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const Turn turn,
                   Turn::Take(&turns_, Work::kCompare, control_.interrupt()));
  const auto note = [&]() -> absl::Status {
    comparison.at = absl::Now();
    RETURN_IF_ERROR(Note(
        ComparisonNoteOf(moved.share, plan.name, moved.compared, comparison),
        events));
    NoteInItsLedger(migrate, {.result = comparison, .begun = moved.begun},
                    events);
    return absl::OkStatus();
  };
  comparison = {.state = State::kComparing, .method = options_.verify};
  RETURN_IF_ERROR(note());
  absl::StatusOr<ComparisonResult> found =
      Compare(migrate, moved.share, before, events);
  // The next run goes on with it.
  if (absl::IsCancelled(found.status())) return found.status();
  if (found.ok()) {
    comparison = *std::move(found);
    return note();
  }
  comparison.state = State::kUnknown;
  comparison.found = std::string(found.status().message());
  // The error itself is what matters; the note is for `walferry status`.
  note().IgnoreError();
  return found.status();
}

}  // namespace walferry
