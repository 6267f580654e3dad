#ifndef APPLY_SET_STATEMENT_H_
#define APPLY_SET_STATEMENT_H_

// The SQL that does to many of the target's rows at once what changes did to
// the source's: one parameter holds all rows, so the text depends on nothing
// but table and SetShape.
//
// The parameter is an array of the table's own row type. So every column's
// value passes through its type's input function with the column's modifier,
// as in PostgreSQL's apply worker, whatever the type is: an array of arrays
// would lose its shape, and a cast could cut what does not fit. Deletes by a
// key of one column take an array of its type: `= ANY` walks the index once,
// where a join descends it for each row (2.1 against 3.5 us a row).

#include <string>
#include <utility>
#include <vector>

#include "apply/change_batch.h"
#include "apply/column_set.h"
#include "apply/statement.h"
#include "apply/table_mapping.h"

namespace walferry {

struct SetShape {
  ChangeKind kind = ChangeKind::kInsert;  // Not truncate.
  ColumnSet unchanged;  // Update: source columns that keep their values.

  friend bool operator==(const SetShape&, const SetShape&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const SetShape& shape) {
    return H::combine(std::move(h), shape.kind, shape.unchanged);
  }
};

// The parameter of a delete is an array of keys, not of rows.
bool DeletesByKeyArray(const TableMapping& table);

// One statement, as a list because that is what StatementCache holds. It
// touches as many rows as the parameter has elements, or something is wrong.
std::vector<Statement> BuildStatements(const TableMapping& table,
                                       const SetShape& shape);

// COPY of the columns that an insert fills, in the order of the source's.
std::string BuildCopyIn(const TableMapping& table, bool binary);

}  // namespace walferry

#endif  // APPLY_SET_STATEMENT_H_
