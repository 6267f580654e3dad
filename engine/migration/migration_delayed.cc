// Delayed tables (engine/catalog/delayed_tables.h): all else makes the target
// usable, then their rows come, and what waits for them.

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/check/check.h"
#include "engine/copy/unchanged_tables.h"
#include "engine/migration/migration_run.h"
#include "engine/schema/matviews.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of a unique or an exclusion constraint.
bool IsTakenKey(const absl::Status& failure) {
  const std::string sqlstate = SqlStateOf(failure);
  return sqlstate == "23505" || sqlstate == "23P01";
}

bool IsViolation(const absl::Status& failure) {
  return absl::StartsWith(SqlStateOf(failure), "23");
}

// Others' hints do not count on clients.
absl::Status WithOtherHint(const absl::Status& failure,
                           absl::string_view hint) {
  const absl::Status unexplained = WithSqlState(
      absl::Status(failure.code(), failure.message()), SqlStateOf(failure));
  return WithHint(unexplained, hint);
}

}  // namespace

absl::Status MigrationRun::ReadWhetherUsable() {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  usable_ = absl::c_linear_search(steps, kUsableStep);
  return absl::OkStatus();
}

// A later run: the other tables belong to clients, whatever the source says of
// them by now.
absl::Status MigrationRun::KeepDelayedTables() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> rows, ledger_->Tables());
  std::vector<CatalogTable> missing;
  for (const LedgerTable& row : rows) {
    const CatalogTable* const table = catalog_.Find(row.table);
    if (table != nullptr && !row.copied) missing.push_back(*table);
  }
  LifeSigns signs = Signs();
  return KeepUnchangedTables(
      {.session = CopySession(),
       .jobs = options_.jobs,
       .progress_interval = options_.stream.poll_interval,
       .may_remove_others_rows =
           [this](const QualifiedName& table) {
             return Accepts(options_.accept, "target-rows", ToDisplay(table));
           },
       .clients_write = true},
      *snapshot_, missing, signs);
}

// No change comes any more, so nothing has to be kept quiet.
absl::Status MigrationRun::BuildAllButDelayed() {
  RETURN_IF_ERROR(TakeTurn(Work::kBuild));
  RETURN_IF_ERROR(Enter(Phase::kIndexes, known_->consistent_point.valid()));
  RETURN_IF_ERROR(RestoreStages({SchemaStage::kIndexes, SchemaStage::kObjects,
                                 SchemaStage::kForeignKeys}));
  if (carries_rows()) RETURN_IF_ERROR(SetSequencesAndViews());
  RETURN_IF_ERROR(RestoreStages({SchemaStage::kTriggers}));
  return Analyze(delays() ? AnalyzePart::kAllButDelayed : AnalyzePart::kAll);
}

absl::Status MigrationRun::CompareBeforeClients() {
  if (!before_usable_) return absl::OkStatus();
  RETURN_IF_ERROR(TakeTurn(Work::kCompare));
  RETURN_IF_ERROR(Enter(Phase::kVerify, known_->consistent_point.valid()));
  return before_usable_();
}

// From the ledger's note on nothing of what clients may have touched is set,
// copied or compared again.
absl::Status MigrationRun::TellUsable() {
  // Clients may come with on_usable: a run that is ended in it must find the
  // note. The next one calls it again.
  if (!usable_) {
    RETURN_IF_ERROR(CompareBeforeClients());
    RETURN_IF_ERROR(EndFastTargetForClients());
    RETURN_IF_ERROR(
        target_->Exec(ledger_->sql().StepDone(kUsableStep)).status());
    usable_ = true;
  }
  if (options_.on_usable) RETURN_IF_ERROR(options_.on_usable());
  events_.OnEvent(Usable{.delayed_tables = absl::c_count_if(
                             catalog_.tables, [](const CatalogTable& table) {
                               return table.delayed;
                             })});
  return absl::OkStatus();
}

// By the run that made the target usable, for the report.
void MigrationRun::CountWhatWasSet() {
  report_.sequences_set = static_cast<int64_t>(catalog_.sequences.size());
  report_.materialized_views_refreshed = absl::c_count_if(
      catalog_.materialized_views, [](const CatalogMaterializedView& view) {
        return view.populated && !view.delayed;
      });
}

absl::Status MigrationRun::LoadDelayedTables() {
  const bool resumed = usable_;
  RETURN_IF_ERROR(TellUsable());
  if (snapshot_ != nullptr) {
    // An attempt begins with it.
    if (!resumed) RETURN_IF_ERROR(TakeTurn(Work::kRead));
    RETURN_IF_ERROR(CopyDelayedRows());
    snapshot_.reset();
  }
  RETURN_IF_ERROR(TakeTurn(Work::kBuild));
  RETURN_IF_ERROR(Enter(Phase::kIndexes, known_->consistent_point.valid()));
  return FinishDelayedTables();
}

absl::Status MigrationRun::CopyDelayedRows() {
  if (!may_guard_) {
    return WithHint(
        absl::FailedPreconditionError(
            "target: the role may not keep triggers quiet any more, which "
            "would act on the rows of delayed tables"),
        absl::StrCat("a superuser can: GRANT SET ON PARAMETER "
                     "session_replication_role TO ",
                     QuoteIdentifier(target_->user()), ";"));
  }
  RETURN_IF_ERROR(Enter(Phase::kCopy, known_->consistent_point.valid()));
  const absl::Status copied = CopyPart(/*delayed=*/true);
  if (!IsTakenKey(copied)) return copied;
  return WithOtherHint(
      copied,
      "a client has written a row with the key of one that comes from the "
      "source: look which of the two is right, change or remove the client's, "
      "or the source's, and run the same command again; all that is on the "
      "target stays");
}

absl::Status MigrationRun::FinishDelayedTables() {
  const absl::Status restored = RestoreStages(
      {SchemaStage::kDelayedIndexes, SchemaStage::kDelayedForeignKeys});
  if (IsViolation(restored)) {
    return WithOtherHint(
        restored,
        "the rows are as on the source, but for what clients have written: if "
        "they are at odds, mend them on the target and run the same command "
        "again");
  }
  RETURN_IF_ERROR(restored);
  ASSIGN_OR_RETURN(const int64_t refreshed,
                   RefreshMaterializedViews(
                       *target_, catalog_.materialized_views,
                       [this](absl::string_view view) {
                         Notify(Notice::Level::kInfo,
                                absl::StrCat("refreshing ", view));
                         return absl::OkStatus();
                       },
                       /*delayed=*/true));
  report_.materialized_views_refreshed += refreshed;
  return Analyze(AnalyzePart::kDelayed);
}

}  // namespace walferry
