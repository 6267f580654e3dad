// prepare: the publication, the slot, and one state of the source that
// everything is copied from.

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/catalog/publication.h"
#include "engine/check/check.h"
#include "engine/migration/migration_run.h"
#include "engine/migration_name.h"
#include "engine/name_some.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"

namespace walferry {

absl::Status MigrationRun::Prepare() {
  if (consistent_point_.valid()) return Resume();
  RETURN_IF_ERROR(Enter(Phase::kPrepare));
  RETURN_IF_ERROR(DumpCatalog());
  if (offline()) {
    RETURN_IF_ERROR(TakeSnapshot(/*slot=*/""));
  } else {
    RETURN_IF_ERROR(CreatePublication());
    RETURN_IF_ERROR(CreateSlotAndSnapshot());
  }
  RETURN_IF_ERROR(GuardTables());
  return RecordTables();
}

// The schema is read before the snapshot is taken, because the tables must be
// locked soon after it: one that is truncated between the two makes a new
// snapshot necessary. (And not after the lock: pg_dump locks the tables too,
// and would wait behind a statement that waits for ours.)
absl::Status MigrationRun::DumpCatalog() {
  ASSIGN_OR_RETURN(catalog_, ReadCatalog(*source_, scope_));
  if (!carries_schema()) return absl::OkStatus();
  ASSIGN_OR_RETURN(facts_, ReadSchemaFacts(*source_, catalog_));
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

// Once a table is published, its users can update only what has an identity.
// The checks say so too, but tables may have come since.
absl::Status MigrationRun::RequireIdentities() const {
  std::vector<std::string> without;
  for (const CatalogTable& table : catalog_.tables) {
    const std::string name = ToDisplay(table.name);
    if (!table.copy_data || table.unlogged || table.has_usable_identity ||
        Accepts(options_.accept, "replica-identity", name)) {
      continue;
    }
    without.push_back(name);
  }
  if (without.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "source: publishing ", NameSome(without),
          " would make its UPDATE and DELETE fail: no primary key, no replica "
          "identity")),
      "add a primary key, or ALTER TABLE ... REPLICA IDENTITY FULL");
}

// The publication must be there before the slot: the slot sees it as of the
// change that it decodes.
absl::Status MigrationRun::CreatePublication() {
  if (!options_.publication.empty()) {
    return CheckPublicationCovers(*source_, publication_, catalog_.tables);
  }
  RETURN_IF_ERROR(RequireIdentities());
  RETURN_IF_ERROR(ledger_->AddObject({.side = Side::kSource,
                                      .kind = "publication",
                                      .identity = publication_}));
  return walferry::CreatePublication(*source_, publication_, catalog_.tables);
}

absl::Status MigrationRun::CreateSlotAndSnapshot() {
  ASSIGN_OR_RETURN(const std::string origin,
                   OriginName(*target_, options_.endpoints.name));
  RETURN_IF_ERROR(ledger_->AddObject(
      {.side = Side::kTarget, .kind = "origin", .identity = origin}));
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
  return TakeSnapshot(slot_);
}

// `slot`: to be created; "": none, or one is there already.
absl::Status MigrationRun::TakeSnapshot(const std::string& slot) {
  const SourceSnapshotOptions options{
      .endpoints = options_.endpoints,
      .slot = slot,
      .failover = source_->server_version() >= 170000,
      .on_wait =
          [this](const std::string& text) {
            Notify(Notice::Level::kInfo, text);
          },
      .interrupt = &control_.interrupt()};
  ASSIGN_OR_RETURN(snapshot_, offline()
                                  ? SourceSnapshot::TakeWithoutSlot(options)
                                  : SourceSnapshot::Take(options));
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
  // Even if the commit's answer is lost: what was begun stays.
  consistent_point_ = snapshot_->consistent_point();
  RETURN_IF_ERROR(target_->Exec("BEGIN").status());
  RETURN_IF_ERROR(ledger_->AddTables(tables));
  RETURN_IF_ERROR(StoreSchemaFacts(*target_, ledger_->sql().key(), facts_));
  RETURN_IF_ERROR(ledger_->SetConsistentPoint(consistent_point_));
  RETURN_IF_ERROR(target_->Exec("COMMIT").status());
  return absl::OkStatus();
}

}  // namespace walferry
