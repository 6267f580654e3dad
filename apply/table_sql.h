#ifndef APPLY_TABLE_SQL_H_
#define APPLY_TABLE_SQL_H_

// Parts of a target's table in set statements.

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/table_mapping.h"
#include "apply/target_table.h"

namespace walferry {

// The table, without those that inherit from it, but with its partitions.
std::string Only(const TargetTable& table);

// The column's value in the row `alias`, as the type behind its domain:
// operators for all enums or arrays do not see through one.
std::string Stored(const TargetColumn& column, absl::string_view alias);

// That row `o` of the table and row `v` have equal values in these source
// columns, all of which can be compared.
std::string SameValues(const TableMapping& table,
                       absl::Span<const size_t> columns);

}  // namespace walferry

#endif  // APPLY_TABLE_SQL_H_
