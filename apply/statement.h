#ifndef APPLY_STATEMENT_H_
#define APPLY_STATEMENT_H_

// The SQL that does to the target what a change did to the source: constant
// text per table and shape of change, values as parameters.
//
// Rules (those of PostgreSQL's apply worker, worker.c and execReplication.c,
// in SQL):
// - Values are assigned, never cast to a type with a modifier: a cast would
//   cut what does not fit, an assignment raises an error.
// - Generated columns are neither inserted nor set. An identity column that is
//   GENERATED ALWAYS cannot be set: if its value changes, the row is deleted
//   and inserted.
// - Every operator, type and table is qualified. Bytes that come in binary form
//   are taken for nothing but the type that the source has sent, which is the
//   target's as well.
// - An old row that is found by all its columns (FULL) is one row, even where
//   several are equal: by ctid. A row that looks the same goes before one that
//   is merely equal. Types without equality are compared by how they print.
// - Tables are meant without their children (ONLY), partitioned ones with
//   their partitions.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "apply/change_shape.h"
#include "apply/table_mapping.h"

namespace walferry {

// Which value of a change a parameter takes.
struct StatementParameter {
  bool old_row = false;
  size_t column = 0;  // Of the source.

  friend bool operator==(const StatementParameter&,
                         const StatementParameter&) = default;
};

struct Statement {
  std::string sql;
  std::vector<StatementParameter> parameters;  // $1, $2, ...
  // Their types' OIDs; empty: the server infers them.
  std::vector<uint32_t> types;
};

// Usually one statement. All together must touch exactly one row.
std::vector<Statement> BuildStatements(const TableMapping& table,
                                       const ChangeShape& shape);

// All tables in one command, so that foreign keys among them do not matter.
std::string BuildTruncate(absl::Span<const TargetTable* const> tables,
                          bool restart_identity);

}  // namespace walferry

#endif  // APPLY_STATEMENT_H_
