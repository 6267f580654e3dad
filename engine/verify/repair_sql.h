#ifndef ENGINE_VERIFY_REPAIR_SQL_H_
#define ENGINE_VERIFY_REPAIR_SQL_H_

// The statements that repair rows, as text.
//
// A row is named by its place, its key and its hash: whatever has become of the
// table since the comparison, a statement acts on the row that was compared, or
// on none. Values are literals of no type, which take that of their column: a
// cast would cut what is too long for it.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/table_pairs.h"
#include "protocol/quoting.h"

namespace walferry {

// As the output functions of types print them; nullopt: NULL.
using ValueTexts = std::vector<std::optional<std::string>>;

// Under which the statements mean in any session what they mean here: SETs
// divided by semicolons. `round_floats`: hashes are of floats as RoundsFloats
// says.
std::string RepairSettingsSql(int server_version, absl::string_view encoding,
                              bool round_floats);

// What begins the transaction of a range. Triggers and foreign keys keep quiet
// with `replica_role`.
std::vector<std::string> BeginRepairSql(bool replica_role);
// Nobody else writes to the table until it ends.
std::string LockTableSql(const TablePair& table);

// A row of the target.
struct RepairedRow {
  std::string table;  // Of the partition that has it; "": the table itself.
  std::string ctid;
  std::string hash;
  ValueTexts key;  // Of TablePair::key; empty if there is none.
};
std::string DeleteRowSql(const TablePair& table, RowHash hash,
                         const RepairedRow& row);
// Columns and their values.
using Assignments =
    std::vector<std::pair<std::string, std::optional<std::string>>>;
std::string UpdateRowSql(const TablePair& table, RowHash hash,
                         const RepairedRow& row,
                         const Assignments& assignments);
// One tuple of VALUES, and the statement of some.
std::string TupleSql(const ValueTexts& values);
std::string InsertRowsSql(const QualifiedName& table,
                          absl::Span<const std::string> columns,
                          absl::Span<const std::string> tuples);

}  // namespace walferry

#endif  // ENGINE_VERIFY_REPAIR_SQL_H_
