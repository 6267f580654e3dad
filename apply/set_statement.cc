#include "apply/set_statement.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "apply/delete_by_values.h"
#include "apply/table_sql.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

std::string Name(const TableMapping& table, size_t column) {
  return QuoteIdentifier(table.TargetOf(column).name);
}

// The parameter as a table `v` with the columns of ours.
std::string Rows(const TableMapping& table) {
  return absl::StrCat("pg_catalog.unnest($1::", Quote(table.target.name),
                      "[]) AS v");
}

// That row `o` of the table is meant by row `v` of the parameter.
std::string SameKey(const TableMapping& table) {
  return SameValues(table, table.lookup);
}

std::string ColumnNames(const TableMapping& table, absl::string_view prefix) {
  return absl::StrJoin(table.FilledColumns(), ", ",
                       [&](std::string* out, size_t column) {
                         absl::StrAppend(out, prefix, Name(table, column));
                       });
}

std::string BuildInsert(const TableMapping& table) {
  const bool identity_always = std::any_of(
      table.target.columns.begin(), table.target.columns.end(),
      [](const TargetColumn& column) { return column.identity_always; });
  return absl::StrCat(
      "INSERT INTO ", Quote(table.target.name), " (", ColumnNames(table, ""),
      ")", identity_always ? " OVERRIDING SYSTEM VALUE" : "", " SELECT ",
      ColumnNames(table, "v."), " FROM ", Rows(table));
}

// The key is the same already.
bool IsSet(const TableMapping& table, const SetShape& shape, size_t column) {
  const TargetColumn& target = table.TargetOf(column);
  return !target.generated && !target.identity_always && !target.key &&
         !shape.unchanged.Contains(column);
}

std::string BuildUpdate(const TableMapping& table, const SetShape& shape) {
  std::vector<std::string> assignments;
  for (size_t column = 0; column < table.source.columns.size(); ++column) {
    if (!IsSet(table, shape, column)) continue;
    const std::string name = Name(table, column);
    assignments.push_back(absl::StrCat(name, " = v.", name));
  }
  if (assignments.empty()) {
    // Nothing to set, but the rows must be there.
    return absl::StrCat("SELECT 1 FROM ", Only(table.target), " AS o JOIN ",
                        Rows(table), " ON ", SameKey(table),
                        " FOR NO KEY UPDATE OF o");
  }
  return absl::StrCat("UPDATE ", Only(table.target), " AS o SET ",
                      absl::StrJoin(assignments, ", "), " FROM ", Rows(table),
                      " WHERE ", SameKey(table));
}

std::string BuildDelete(const TableMapping& table) {
  if (table.lookup_is_row()) return BuildDeleteByValues(table);
  if (DeletesByKeyArray(table)) {
    const TargetColumn& key = table.TargetOf(table.lookup.front());
    return absl::StrCat("DELETE FROM ", Only(table.target), " AS o WHERE ",
                        Stored(key, "o"), " ", key.equality,
                        " ANY ($1::", key.array_type, ")");
  }
  return absl::StrCat("DELETE FROM ", Only(table.target), " AS o USING ",
                      Rows(table), " WHERE ", SameKey(table));
}

std::string BuildSql(const TableMapping& table, const SetShape& shape) {
  switch (shape.kind) {
    case ChangeKind::kInsert:
      return BuildInsert(table);
    case ChangeKind::kUpdate:
      return BuildUpdate(table, shape);
    case ChangeKind::kDelete:
      return BuildDelete(table);
    case ChangeKind::kTruncate:
      break;
  }
  return "";
}

}  // namespace

bool DeletesByKeyArray(const TableMapping& table) {
  return table.lookup_is_key && table.lookup.size() == 1 &&
         !table.TargetOf(table.lookup.front()).array_type.empty();
}

std::vector<Statement> BuildStatements(const TableMapping& table,
                                       const SetShape& shape) {
  return {{.sql = BuildSql(table, shape), .parameters = {}}};
}

std::string BuildCopyIn(const TableMapping& table, bool binary) {
  return absl::StrCat("COPY ", Quote(table.target.name), " (",
                      ColumnNames(table, ""), ") FROM STDIN",
                      binary ? " (FORMAT binary)" : "");
}

}  // namespace walferry
