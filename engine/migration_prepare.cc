// prepare: the publication, the slot, and one state of the source that
// everything is copied from. A later run takes a newer state instead.

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "engine/migration_name.h"
#include "engine/migration_run.h"
#include "engine/publication.h"
#include "engine/range_lift.h"
#include "engine/schema_change.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {

absl::Status MigrationRun::Prepare() {
  if (known_->consistent_point.valid()) return Resume();
  RETURN_IF_ERROR(Enter(Phase::kPrepare));
  RETURN_IF_ERROR(DumpCatalog());
  RETURN_IF_ERROR(CreatePublication(catalog_));
  RETURN_IF_ERROR(CreateSlotAndSnapshot());
  RETURN_IF_ERROR(GuardTables());
  return RecordTables();
}

// The schema is read before the snapshot is taken, because the tables must be
// locked soon after it: one that is truncated between the two makes a new
// snapshot necessary. (And not after the lock: pg_dump locks the tables too,
// and would wait behind a statement that waits for ours.)
absl::Status MigrationRun::DumpCatalog() {
  ASSIGN_OR_RETURN(catalog_, ReadCatalog(*source_, scope_));
  return Dump();
}

absl::Status MigrationRun::GuardTables() {
  const Catalog dumped = std::move(catalog_);
  ASSIGN_OR_RETURN(catalog_, ReadCatalog(snapshot_->connection(), scope_));
  RETURN_IF_ERROR(snapshot_->Guard(catalog_.tables));
  const std::string difference = DescribeShapeDifference(dumped, catalog_);
  if (difference.empty()) return absl::OkStatus();
  return absl::AbortedError(absl::StrCat(
      "source: the schema changed while the snapshot was taken: ", difference));
}

// The publication must be there before the slot: the slot sees it as of the
// change that it decodes.
absl::Status MigrationRun::CreatePublication(const Catalog& catalog) {
  if (!options_.publication.empty()) {
    return CheckPublicationCovers(*source_, publication_, catalog.tables);
  }
  RETURN_IF_ERROR(ledger_->AddObject({.side = Side::kSource,
                                      .kind = "publication",
                                      .identity = publication_}));
  // One that an earlier attempt left may know other tables.
  RETURN_IF_ERROR(source_
                      ->Exec(absl::StrCat("DROP PUBLICATION IF EXISTS ",
                                          QuoteIdentifier(publication_)))
                      .status());
  return Annotate(
      source_->Exec(CreatePublicationSql(publication_, catalog.tables))
          .status(),
      absl::StrCat("source: publication ", publication_));
}

absl::Status MigrationRun::CreateSlotAndSnapshot() {
  RETURN_IF_ERROR(ledger_->AddObject(
      {.side = Side::kTarget,
       .kind = "origin",
       .identity = absl::StrCat("walferry_", options_.endpoints.name)}));
  RETURN_IF_ERROR(ledger_->AddObject(
      {.side = Side::kSource, .kind = "slot", .identity = slot_}));
  // Nothing hangs on a slot that an attempt before this one has left.
  ASSIGN_OR_RETURN(
      const std::string exists,
      source_->QueryValue(absl::StrCat(
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_replication_slots WHERE "
          "slot_name = ",
          QuoteLiteral(slot_), ")")));
  if (exists == "t") {
    ASSIGN_OR_RETURN(PgConnection walsender, connector_.OpenWalsender(""));
    RETURN_IF_ERROR(DropSlot(walsender, slot_));
  }
  ASSIGN_OR_RETURN(
      snapshot_,
      SourceSnapshot::Take({.endpoints = options_.endpoints,
                            .slot = slot_,
                            .failover = source_->server_version() >= 170000,
                            .interrupt = &control_.interrupt()}));
  return absl::OkStatus();
}

absl::Status MigrationRun::RecordTables() {
  std::vector<LedgerTable> tables;
  for (const CatalogTable& table : catalog_.tables) {
    tables.push_back({.table = table.name,
                      .oid = table.oid,
                      .relfilenode = table.relfilenode,
                      .blocks = table.blocks,
                      .bytes = table.bytes,
                      .shape = ShapeOf(table),
                      // What is not copied waits for nothing.
                      .copied = !table.copy_data,
                      .lsn = snapshot_->consistent_point(),
                      .snapshot = snapshot_->text()});
  }
  RETURN_IF_ERROR(target_->Exec("BEGIN").status());
  RETURN_IF_ERROR(ledger_->AddTables(tables));
  RETURN_IF_ERROR(ledger_->SetConsistentPoint(snapshot_->consistent_point()));
  RETURN_IF_ERROR(target_->Exec("COMMIT").status());
  progressed_ = true;
  return absl::OkStatus();
}

// The slot is there, the snapshot that came with it is gone. A new one is
// needed only while rows or the first part of the schema are missing.
absl::Status MigrationRun::Resume() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  bool all_copied = !steps.empty();
  for (const LedgerTable& table : tables) all_copied &= table.copied;
  if (all_copied) {
    ASSIGN_OR_RETURN(catalog_, ReadCatalog(*source_, scope_));
    return CompareWithLedger();
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
  ASSIGN_OR_RETURN(snapshot_,
                   SourceSnapshot::Take({.endpoints = options_.endpoints,
                                         .interrupt = &control_.interrupt()}));
  RETURN_IF_ERROR(GuardTables());
  RETURN_IF_ERROR(CompareWithLedger());
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

// The source's tables must still be those that the migration began with.
absl::Status MigrationRun::CompareWithLedger() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
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
    if (found->second->shape != ShapeOf(table)) {
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

}  // namespace walferry
