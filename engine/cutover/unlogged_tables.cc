#include "engine/cutover/unlogged_tables.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/catalog/schema_change.h"
#include "engine/copy/table_copy.h"
#include "engine/ledger/ledger.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Every write makes or hides a row version, and no two versions of a table
// have place and writer in common.
constexpr absl::string_view kFingerprint =
    "SELECT count(*) || ' ' || coalesce(sum(hashtextextended("
    "ctid::text || ' ' || xmin::text, 0)), 0) FROM ONLY ";

std::vector<const CatalogTable*> UnloggedOf(const Catalog& catalog) {
  std::vector<const CatalogTable*> tables;
  for (const CatalogTable& table : catalog.tables) {
    if (table.unlogged && table.copy_data) tables.push_back(&table);
  }
  return tables;
}

// In a transaction of its own; SET LOCAL because the sessions that copy ranges
// would go through an index.
absl::StatusOr<std::string> Fingerprint(PgConnection& source,
                                        const CatalogTable& table) {
  RETURN_IF_ERROR(source.Exec("SET LOCAL enable_seqscan = on").status());
  return source.QueryValue(absl::StrCat(kFingerprint, Quote(table.name), " ",
                                        table.config_condition));
}

constexpr char kBegin[] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

}  // namespace

LedgerSql UnloggedTables::Sql() const {
  return LedgerSql({.schema = session_.endpoints.ledger_schema,
                    .migration = session_.endpoints.name});
}

absl::Status UnloggedTables::CopyTable(const CatalogTable& table) {
  ASSIGN_OR_RETURN(PgConnection from, OpenCopySource(session_));
  ASSIGN_OR_RETURN(PgConnection to, OpenCopyTarget(session_, encoding_));
  RETURN_IF_ERROR(from.Exec(kBegin).status());
  ASSIGN_OR_RETURN(copied_[table.name], Fingerprint(from, table));
  RETURN_IF_ERROR(
      to.Exec(absl::StrCat("BEGIN; DELETE FROM ONLY ", Quote(table.name), " ",
                           table.config_condition))
          .status());
  CopyCounters counters;
  RETURN_IF_ERROR(PipeRows(from, CopyOutSql(table, LedgerRange{}), to,
                           CopyInSql(table, CopyFreeze::kNo), counters)
                      .status());
  RETURN_IF_ERROR(
      to.Exec(Sql().TableFingerprint(table.name, copied_[table.name]))
          .status());
  return to.Exec("COMMIT").status();
}

absl::Status UnloggedTables::CheckTable(const CatalogTable& table) {
  ASSIGN_OR_RETURN(PgConnection from, OpenCopySource(session_));
  ASSIGN_OR_RETURN(PgConnection to, OpenCopyTarget(session_, encoding_));
  RETURN_IF_ERROR(from.Exec(kBegin).status());
  ASSIGN_OR_RETURN(copied_[table.name], Fingerprint(from, table));
  Ledger ledger(to, Sql().key());
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger.Tables());
  for (const LedgerTable& known : tables) {
    if (known.table != table.name) continue;
    if (known.fingerprint == copied_[table.name]) return absl::OkStatus();
  }
  return WrittenTooLate(table.name);
}

absl::Status UnloggedTables::Copy(const Catalog& catalog) {
  for (const CatalogTable* const table : UnloggedOf(catalog)) {
    RETURN_IF_ERROR(
        Annotate(sealed_ ? CheckTable(*table) : CopyTable(*table),
                 absl::StrCat("unlogged table ", ToDisplay(table->name))));
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> UnloggedTables::Unchanged(const Catalog& catalog) {
  const std::vector<const CatalogTable*> tables = UnloggedOf(catalog);
  if (tables.empty()) return true;
  ASSIGN_OR_RETURN(PgConnection source, OpenCopySource(session_));
  RETURN_IF_ERROR(source.Exec(kBegin).status());
  for (const CatalogTable* const table : tables) {
    ASSIGN_OR_RETURN(const std::string now, Fingerprint(source, *table));
    if (now != copied_[table->name]) return false;
  }
  return true;
}

}  // namespace walferry
