// What the ledger says of a migration's stream; who writes it is apply/.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "apply/table_counts.h"
#include "engine/ledger/ledger.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<std::optional<LedgerStream>> Ledger::Stream() {
  ASSIGN_OR_RETURN(
      PgResult row,
      connection_.Exec(absl::StrCat(
          "SELECT applied_lsn, transactions, inserts, updates, deletes, "
          "truncates, coalesce(to_jsonb(s) ->> 'counted_since', '0/0') FROM ",
          Table("stream"), " s WHERE name = ", Name())));
  if (row.rows() == 0) return std::optional<LedgerStream>();
  LedgerStream stream;
  ASSIGN_OR_RETURN(stream.applied_lsn, row.LsnAt(0, 0));
  ASSIGN_OR_RETURN(stream.counts.transactions, row.Int64(0, 1));
  ASSIGN_OR_RETURN(stream.counts.inserts, row.Int64(0, 2));
  ASSIGN_OR_RETURN(stream.counts.updates, row.Int64(0, 3));
  ASSIGN_OR_RETURN(stream.counts.deletes, row.Int64(0, 4));
  ASSIGN_OR_RETURN(stream.counts.truncates, row.Int64(0, 5));
  // An older walferry's table may be without it.
  ASSIGN_OR_RETURN(stream.counted_since, row.LsnAt(0, 6));
  return std::optional<LedgerStream>(stream);
}

absl::StatusOr<CountsByTable> Ledger::TableCounts() {
  CountsByTable counts;
  ASSIGN_OR_RETURN(const std::string found,
                   connection_.QueryValue(absl::StrCat(
                       "SELECT to_regclass(",
                       QuoteLiteral(Table("table_counts")), ") IS NOT NULL")));
  if (found != "t") return counts;  // An older walferry's ledger.
  ASSIGN_OR_RETURN(
      const PgResult rows,
      connection_.Exec(absl::StrCat(
          "SELECT schema_name, table_name, ", TableCountsColumns(), " FROM ",
          Table("table_counts"), " WHERE stream = ", Name())));
  for (int row = 0; row < rows.rows(); ++row) {
    auto& [decoded, applied] = counts[{.schema = std::string(rows.Text(row, 0)),
                                       .name = std::string(rows.Text(row, 1))}];
    int column = 2;
    for (ChangeCounts* side : {&decoded, &applied}) {
      for (int64_t* count :
           {&side->inserts, &side->updates, &side->deletes, &side->truncates}) {
        ASSIGN_OR_RETURN(*count, rows.Int64(row, column++));
      }
    }
  }
  return counts;
}

}  // namespace walferry
