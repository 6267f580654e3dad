#ifndef APPLY_TABLE_COUNTS_H_
#define APPLY_TABLE_COUNTS_H_

// How many changes of each table were decoded and applied, and the ledger's
// table that keeps it.

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "apply/change_counts.h"
#include "protocol/quoting.h"

namespace walferry {

struct TableCounts {
  ChangeCounts decoded;
  ChangeCounts applied;

  bool agree() const { return decoded == applied; }
  TableCounts& operator+=(const TableCounts& more) {
    decoded += more.decoded;
    applied += more.applied;
    return *this;
  }
  friend bool operator==(const TableCounts&, const TableCounts&) = default;
};

// By the table's name on the source.
using CountsByTable = std::map<QualifiedName, TableCounts>;

// CREATE TABLE IF NOT EXISTS; refers to the stream table (stream_row.h). A row
// of a stream goes with the stream's own.
std::string TableCountsTableSql(absl::string_view ledger_schema);

// The columns of a table's counts: those decoded, then those applied, each in
// the order of ChangeCounts.
std::string TableCountsColumns();

// Adds counts of tables to a stream's; $1: the stream, then
// AddTableCountsParams(). It fails by itself unless every table was counted, so
// that COMMIT need not wait for its result.
std::string AddTableCountsSql(absl::string_view ledger_schema);
std::vector<std::string> AddTableCountsParams(const CountsByTable& counts);

}  // namespace walferry

#endif  // APPLY_TABLE_COUNTS_H_
