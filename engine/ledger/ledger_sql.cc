#include "engine/ledger/ledger_sql.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"

namespace walferry {

std::string LedgerSql::Table(absl::string_view name) const {
  return absl::StrCat(QuoteIdentifier(key_.schema), ".", name);
}

std::string LedgerSql::StepDone(absl::string_view step) const {
  return absl::Substitute("INSERT INTO $0 (migration, step) VALUES ($1, $2)",
                          Table("step"), QuoteLiteral(key_.migration),
                          QuoteLiteral(step));
}

std::string LedgerSql::ForgetStep(absl::string_view step) const {
  return absl::Substitute("DELETE FROM $0 WHERE migration = $1 AND step = $2",
                          Table("step"), QuoteLiteral(key_.migration),
                          QuoteLiteral(step));
}

std::string LedgerSql::RangeDone(const QualifiedName& table,
                                 const LedgerRange& range, int64_t rows,
                                 int64_t bytes) const {
  return absl::Substitute(
      "INSERT INTO $0 (migration, schema_name, table_name, first_block, "
      "end_block, rows, bytes) VALUES ($1, $2, $3, $4, $5, $6, $7)",
      Table("copy_range"), QuoteLiteral(key_.migration),
      QuoteLiteral(table.schema), QuoteLiteral(table.name), range.first_block,
      range.end_block, rows, bytes);
}

std::string LedgerSql::TableCopied(const QualifiedName& table) const {
  return absl::Substitute(
      "UPDATE $0 SET copied = true WHERE migration = $1 AND schema_name = $2 "
      "AND table_name = $3",
      Table("table_copy"), QuoteLiteral(key_.migration),
      QuoteLiteral(table.schema), QuoteLiteral(table.name));
}

std::string LedgerSql::TableFingerprint(const QualifiedName& table,
                                        absl::string_view fingerprint) const {
  return absl::Substitute(
      "UPDATE $0 SET fingerprint = $4 WHERE migration = $1 AND schema_name = "
      "$2 AND table_name = $3",
      Table("table_copy"), QuoteLiteral(key_.migration),
      QuoteLiteral(table.schema), QuoteLiteral(table.name),
      QuoteLiteral(fingerprint));
}

std::string LedgerSql::TablePosition(const QualifiedName& table, Lsn lsn,
                                     absl::string_view snapshot,
                                     uint32_t relfilenode,
                                     int64_t blocks) const {
  return absl::StrCat(
      "UPDATE ", Table("table_copy"),
      " SET copied = false, lsn = ", QuoteLiteral(lsn.ToString()),
      ", snapshot = ", QuoteLiteral(snapshot), ", relfilenode = ", relfilenode,
      ", blocks = ", blocks,
      " WHERE migration = ", QuoteLiteral(key_.migration),
      " AND schema_name = ", QuoteLiteral(table.schema),
      " AND table_name = ", QuoteLiteral(table.name));
}

std::string LedgerSql::ForgetRanges(const QualifiedName& table) const {
  return absl::Substitute(
      "DELETE FROM $0 WHERE migration = $1 AND schema_name = $2 AND "
      "table_name = $3",
      Table("copy_range"), QuoteLiteral(key_.migration),
      QuoteLiteral(table.schema), QuoteLiteral(table.name));
}

}  // namespace walferry
