// The end: what was created on the way is dropped, and told in figures.

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/cutover/created_objects.h"
#include "engine/migration/migration_run.h"
#include "engine/name_some.h"
#include "engine/report_json.h"
#include "engine/schema/matviews.h"
#include "engine/schema/sequences.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Where an offline copy stands: all of it at one place, which is `begun` if it
// has no table, but for delayed tables, of which a later run may have copied
// the rest.
absl::StatusOr<Lsn> CopiedAt(const std::vector<LedgerTable>& tables,
                             const Catalog& catalog, Lsn begun) {
  std::optional<Lsn> position;
  for (const LedgerTable& table : tables) {
    const CatalogTable* const known = catalog.Find(table.table);
    if (known == nullptr || !known->copy_data || known->delayed) continue;
    if (position.value_or(table.lsn) != table.lsn) {
      return absl::InternalError(absl::StrCat(
          "table ", ToDisplay(table.table), " was copied as of ",
          table.lsn.ToString(), ", another as of ", position->ToString()));
    }
    position = table.lsn;
  }
  return position.value_or(begun);
}

std::vector<std::string> CopiedLater(const std::vector<LedgerTable>& tables,
                                     const Catalog& catalog, Lsn others) {
  std::vector<std::string> names;
  for (const LedgerTable& table : tables) {
    const CatalogTable* const known = catalog.Find(table.table);
    if (known == nullptr || !known->delayed || table.lsn == others) continue;
    names.push_back(ToDisplay(table.table));
  }
  return names;
}

}  // namespace

// What neither a copy nor a stream carries.
absl::Status MigrationRun::SetSequencesAndViews() {
  if (options_.sequence_sync && carries_schema()) {
    ASSIGN_OR_RETURN(report_.sequences_set,
                     SyncSequences(*source_, *target_, catalog_.sequences));
  } else if (options_.sequence_sync) {
    ASSIGN_OR_RETURN(const SequenceAdvance advance,
                     AdvanceSequences(*source_, *target_, catalog_.sequences));
    report_.sequences_set = advance.set;
    if (!advance.ahead.empty()) {
      std::vector<std::string> names;
      for (const QualifiedName& name : advance.ahead) {
        names.push_back(ToDisplay(name));
      }
      report_.remarks.push_back(absl::StrCat(
          "sequences that were ahead of the source's on the target stay: ",
          NameSome(names)));
    }
  }
  ASSIGN_OR_RETURN(
      report_.materialized_views_refreshed,
      RefreshMaterializedViews(*target_, catalog_.materialized_views,
                               [this](absl::string_view view) {
                                 Notify(Notice::Level::kInfo,
                                        absl::StrCat("refreshing ", view));
                                 return CheckTogether();
                               }));
  return absl::OkStatus();
}

absl::Status MigrationRun::Finish(StreamRun& run, absl::Time still_since) {
  const absl::Status complete = CompleteTarget(run);
  if (!complete.ok()) return Thaw(complete);
  report_.freeze_to_done = absl::Now() - still_since;
  RETURN_IF_ERROR(StoreReport());
  return DropCreated();
}

// From here on a run that is begun again only drops what is left. A frozen
// source stays frozen: its writers belong to the target now.
absl::Status MigrationRun::StoreReport() {
  if (proved_.has_value()) report_.comparison = proved_->comparison;
  known_->report = ReportToJson(report_);
  // Online it is what this run has proved, or nothing: no older verdict.
  const absl::Status stored = ledger_->SetReport(
      *known_->report, frozen_, offline() ? nullptr : &report_.comparison);
  if (stored.ok() || !frozen_) return stored;
  if (!target_->broken()) return Thaw(stored);
  return Annotate(stored,
                  "whether the cutover is done is not known, and the source "
                  "stays read-only until the same command tells");
}

void MigrationRun::RemarkOnSequences() {
  if (options_.sequence_sync) return;
  report_.remarks.push_back(
      "sequences were left as the schema made them (--no-sequence-sync): set "
      "them before anything is inserted");
}

absl::Status MigrationRun::FillReport() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  ASSIGN_OR_RETURN(const std::optional<LedgerStream> stream, ledger_->Stream());
  report_.name = options_.endpoints.name;
  report_.offline = offline();
  report_.tables = static_cast<int64_t>(tables.size());
  report_.rows_copied = 0;
  report_.bytes_copied = 0;
  for (const LedgerTable& table : tables) {
    report_.rows_copied += table.rows;
    report_.bytes_copied += table.bytes_copied;
  }
  if (stream) {
    report_.transactions_applied = stream->counts.transactions;
    report_.inserts = stream->counts.inserts;
    report_.updates = stream->counts.updates;
    report_.deletes = stream->counts.deletes;
    report_.truncates = stream->counts.truncates;
    report_.applied_lsn = stream->applied_lsn;
  }
  report_.elapsed = absl::Now() - started_;
  if (!carries_rows()) {
    report_.remarks.push_back(
        "only the schema was carried (--schema-only): tables are empty, "
        "sequences begin anew, materialized views are not filled");
  } else {
    RemarkOnSequences();
  }
  if (offline()) {
    ASSIGN_OR_RETURN(report_.applied_lsn,
                     CopiedAt(tables, catalog_, consistent_point_));
    const std::vector<std::string> later =
        CopiedLater(tables, catalog_, report_.applied_lsn);
    if (!later.empty()) {
      report_.remarks.push_back(absl::StrCat(
          "rows of delayed tables are of a later state of the source than all "
          "others, as another run has copied the rest of them: ",
          NameSome(later)));
    }
    if (carries_rows()) {
      report_.remarks.push_back(
          "nothing that was written to the source since its rows were read is "
          "on the target");
    }
  } else if (options_.freeze == FreezeMode::kReadOnly) {
    report_.remarks.push_back(absl::StrCat(
        "the source database stays read-only for new sessions; SET "
        "default_transaction_read_only = off; ALTER DATABASE ",
        QuoteIdentifier(source_->dbname()),
        " RESET default_transaction_read_only takes that back"));
  } else {
    report_.remarks.push_back(
        "the source still takes writes: none from now on reaches the target");
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::DropCreated() {
  ASSIGN_OR_RETURN(report_, ledger_->ReportOf(*known_));
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger_->Objects());
  for (const LedgerObject& object : objects) {
    const bool kept =
        (object.kind == "slot" && options_.keep_slot) ||
        (object.kind == "publication" && options_.keep_publication);
    if (kept) continue;
    RETURN_IF_ERROR(DropObject(object, *source_, *target_));
    RETURN_IF_ERROR(ledger_->RemoveObject(object));
  }
  return Enter(Phase::kDone);
}

}  // namespace walferry
