// What the ledger says of the copied tables.

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/ledger/ledger.h"
#include "protocol/status.h"

namespace walferry {

absl::Status Ledger::AddTables(const std::vector<LedgerTable>& tables) {
  if (tables.empty()) return absl::OkStatus();
  std::string sql = absl::StrCat(
      "INSERT INTO ", Table("table_copy"),
      " (migration, schema_name, table_name, source_oid, relfilenode, blocks, "
      "bytes, shape, copied, lsn, snapshot) VALUES ");
  for (const LedgerTable& table : tables) {
    if (&table != &tables.front()) sql += ", ";
    absl::StrAppend(&sql, "(", Name(), ", ", QuoteLiteral(table.table.schema),
                    ", ", QuoteLiteral(table.table.name), ", ", table.oid, ", ",
                    table.relfilenode, ", ", table.blocks, ", ", table.bytes,
                    ", ", QuoteLiteral(table.shape), ", ",
                    table.copied ? "true" : "false", ", ",
                    QuoteLiteral(table.lsn.ToString()), ", ",
                    QuoteLiteral(table.snapshot), ")");
  }
  return connection_.Exec(sql).status();
}

absl::StatusOr<std::vector<LedgerTable>> Ledger::Tables() {
  ASSIGN_OR_RETURN(
      PgResult rows,
      connection_.Exec(absl::Substitute(
          "SELECT t.schema_name, t.table_name, t.source_oid, t.relfilenode, "
          "t.blocks, t.bytes, t.shape, t.copied, t.lsn, t.snapshot, "
          "t.fingerprint, "
          "coalesce(r.rows, 0), coalesce(r.bytes, 0) FROM $0 t LEFT JOIN "
          "(SELECT schema_name, table_name, sum(rows)::bigint AS rows, "
          "sum(bytes)::bigint AS bytes FROM $1 WHERE migration = $2 "
          "GROUP BY 1, 2) r USING (schema_name, table_name) "
          "WHERE t.migration = $2 ORDER BY 1, 2",
          Table("table_copy"), Table("copy_range"), Name())));
  std::vector<LedgerTable> tables;
  for (int row = 0; row < rows.rows(); ++row) {
    LedgerTable table;
    table.table = {std::string(rows.Text(row, 0)),
                   std::string(rows.Text(row, 1))};
    ASSIGN_OR_RETURN(const int64_t oid, rows.Int64(row, 2));
    ASSIGN_OR_RETURN(const int64_t relfilenode, rows.Int64(row, 3));
    table.oid = static_cast<uint32_t>(oid);
    table.relfilenode = static_cast<uint32_t>(relfilenode);
    ASSIGN_OR_RETURN(table.blocks, rows.Int64(row, 4));
    ASSIGN_OR_RETURN(table.bytes, rows.Int64(row, 5));
    table.shape = std::string(rows.Text(row, 6));
    table.copied = rows.Bool(row, 7);
    ASSIGN_OR_RETURN(table.lsn, rows.LsnAt(row, 8));
    table.snapshot = std::string(rows.Text(row, 9));
    table.fingerprint = std::string(rows.Text(row, 10));
    ASSIGN_OR_RETURN(table.rows, rows.Int64(row, 11));
    ASSIGN_OR_RETURN(table.bytes_copied, rows.Int64(row, 12));
    tables.push_back(std::move(table));
  }
  return tables;
}

absl::StatusOr<std::vector<LedgerRange>> Ledger::RangesDone(
    const QualifiedName& table) {
  ASSIGN_OR_RETURN(
      PgResult rows,
      connection_.Exec(absl::StrCat(
          "SELECT first_block, end_block FROM ", Table("copy_range"),
          " WHERE migration = ", Name(),
          " AND schema_name = ", QuoteLiteral(table.schema),
          " AND table_name = ", QuoteLiteral(table.name), " ORDER BY 1")));
  std::vector<LedgerRange> ranges;
  for (int row = 0; row < rows.rows(); ++row) {
    LedgerRange range;
    ASSIGN_OR_RETURN(range.first_block, rows.Int64(row, 0));
    ASSIGN_OR_RETURN(range.end_block, rows.Int64(row, 1));
    ranges.push_back(range);
  }
  return ranges;
}

}  // namespace walferry
