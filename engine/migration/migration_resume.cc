// prepare, once more: a later run proves that slot, publication and tables are
// those that the migration began with, and takes a newer state of the source
// for what is not copied yet.

#include <optional>
#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/catalog/schema_change.h"
#include "engine/check/check.h"
#include "engine/copy/large_objects.h"
#include "engine/copy/range_lift.h"
#include "engine/copy/unchanged_tables.h"
#include "engine/migration/migration_run.h"
#include "engine/name_some.h"
#include "engine/stream/slot_position.h"
#include "protocol/status.h"

namespace walferry {

// The slot is there, the snapshot that came with it is gone. A new one is
// needed only while rows or the first part of the schema are missing.
absl::Status MigrationRun::Resume() {
  if (!offline()) RETURN_IF_ERROR(CheckSlotKept());
  ASSIGN_OR_RETURN(const bool all_is_copied, AllIsCopied());
  if (all_is_copied) {
    ASSIGN_OR_RETURN(catalog_,
                     ReadCatalog(*source_, scope_, CatalogSizes::kNo));
    RETURN_IF_ERROR(CompareWithLedger());
    const absl::Status facts = CompareSchemaFacts();
    // Somebody rewrites a table: the cutover compares them once more.
    if (SqlStateOf(facts) != "55P03") RETURN_IF_ERROR(facts);
    return offline() ? absl::OkStatus() : CheckStillPublished();
  }
  RETURN_IF_ERROR(Enter(Phase::kPrepare, /*resumed=*/true));
  RETURN_IF_ERROR(DumpCatalog());
  ASSIGN_OR_RETURN(const int ended,
                   EndEarlierCopies(*target_, options_.endpoints));
  if (ended > 0) {
    Notify(Notice::Level::kInfo,
           absl::StrCat("ended ", ended,
                        " target sessions that an earlier run had left"));
  }
  RETURN_IF_ERROR(TakeSnapshot(/*slot=*/""));
  RETURN_IF_ERROR(GuardTables());
  RETURN_IF_ERROR(CompareWithLedger());
  RETURN_IF_ERROR(CompareSchemaFacts());
  return BringToSnapshot();
}

absl::StatusOr<bool> MigrationRun::AllIsCopied() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  if (carries_schema() && steps.empty()) return false;
  if (CarriesLargeObjects(options_) &&
      !absl::c_linear_search(steps, kLargeObjectsStep)) {
    return false;
  }
  return absl::c_all_of(tables,
                        [](const LedgerTable& table) { return table.copied; });
}

// What an earlier run has copied.
absl::Status MigrationRun::BringToSnapshot() {
  if (offline() && usable_) return KeepDelayedTables();
  if (offline()) {
    LifeSigns signs = Signs();
    UnchangedTablesOptions keep = {
        .session = CopySession(),
        .jobs = options_.jobs,
        .progress_interval = options_.stream.poll_interval,
        .may_remove_others_rows = nullptr};
    if (!carries_schema()) {
      keep.may_remove_others_rows = [this](const QualifiedName& table) {
        return Accepts(options_.accept, "target-rows", ToDisplay(table));
      };
    }
    return KeepUnchangedTables(keep, *snapshot_, catalog_.tables, signs);
  }
  RETURN_IF_ERROR(CheckStillPublished());
  ASSIGN_OR_RETURN(const LiftReport lift,
                   LiftTables({.session = CopySession(),
                               .slot = slot_,
                               .publications = {publication_}},
                              *snapshot_, catalog_.tables, events_));
  if (lift.lifted > 0 || lift.restarted > 0) {
    Notify(Notice::Level::kInfo,
           absl::StrCat("resuming: ", lift.lifted,
                        " partly copied tables brought to ",
                        snapshot_->consistent_point().ToString(), " (",
                        lift.rows_removed, " rows removed, ", lift.rows_fetched,
                        " fetched), ", lift.restarted, " started anew"));
  }
  return absl::OkStatus();
}

// Nobody else has moved the slot or made it anew: of what was copied already,
// the changes since would be missing.
absl::Status MigrationRun::CheckSlotKept() {
  const absl::StatusOr<Lsn> confirmed = ReadSlotPosition(*source_, slot_);
  if (absl::IsNotFound(confirmed.status())) {
    return WithHint(
        absl::NotFoundError(confirmed.status().message()),
        "the changes since the copy began are gone with it: run `walferry "
        "cleanup`, empty the target and begin again");
  }
  RETURN_IF_ERROR(confirmed.status());
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream, ledger_->Stream());
  return CheckSlotContinues(*source_, slot_, *confirmed,
                            stream ? stream->applied_lsn : consistent_point_);
}

// Filters may leave out more than before, but nothing that was begun.
absl::Status MigrationRun::CheckNoneLeftOut(
    const std::vector<LedgerTable>& begun_with) const {
  const absl::flat_hash_set<QualifiedName> excluded(
      catalog_.excluded_tables.begin(), catalog_.excluded_tables.end());
  std::vector<std::string> names;
  for (const LedgerTable& table : begun_with) {
    if (excluded.contains(table.table)) names.push_back(ToDisplay(table.table));
  }
  if (names.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "this migration was begun with what the filters leave out now: ",
          NameSome(names))),
      "go on with the same filters, or run `walferry cleanup` and begin again");
}

// The source's tables must still be those that the migration began with.
absl::Status MigrationRun::CompareWithLedger() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  RETURN_IF_ERROR(CheckNoneLeftOut(tables));
  absl::flat_hash_map<QualifiedName, const LedgerTable*> begun_with;
  for (const LedgerTable& table : tables) {
    begun_with.emplace(table.table, &table);
  }
  std::vector<std::string> differences;
  for (const CatalogTable& table : catalog_.tables) {
    const auto found = begun_with.find(table.name);
    if (found == begun_with.end()) {
      differences.push_back(
          absl::StrCat("table ", ToDisplay(table.name), " was created"));
      continue;
    }
    if (found->second->oid != table.oid) {
      differences.push_back(absl::StrCat("table ", ToDisplay(table.name),
                                         " was dropped and created again"));
    } else if (found->second->shape != ShapeOf(table)) {
      differences.push_back(
          absl::StrCat("table ", ToDisplay(table.name), " changed shape"));
    }
    begun_with.erase(found);
  }
  for (const auto& [name, table] : begun_with) {
    differences.push_back(
        absl::StrCat("table ", ToDisplay(name), " was dropped or renamed"));
  }
  if (differences.empty()) return absl::OkStatus();
  return SchemaChanged(differences);
}

// What is no table's shape: the target has it as it was when the migration
// began.
absl::Status MigrationRun::CompareSchemaFacts() {
  if (!carries_schema()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const SchemaFacts before,
                   StoredSchemaFacts(*target_, ledger_->sql().key()));
  ASSIGN_OR_RETURN(const SchemaFacts now, ReadSchemaFacts(*source_, catalog_));
  const std::vector<std::string> differences =
      DescribeFactDifferences(before, now);
  if (differences.empty()) return absl::OkStatus();
  const std::string changed = absl::StrCat(
      "the schema changed on the source since the migration "
      "began: ",
      NameSome(differences));
  if (absl::c_linear_search(report_.remarks, changed)) return absl::OkStatus();
  if (!Accepts(options_.accept, "schema-change", "source")) {
    return WithHint(
        absl::FailedPreconditionError(changed),
        "take the change back on the source, or make it on the target, too, "
        "and run the same command again with --accept schema-change");
  }
  Notify(Notice::Level::kWarning, changed);
  report_.remarks.push_back(changed);
  return absl::OkStatus();
}

}  // namespace walferry
