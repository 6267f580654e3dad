#include "apply/delete_by_values.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "apply/table_sql.h"
#include "protocol/quoting.h"

namespace walferry {
namespace {

// More hardly leave out more rows.
constexpr size_t kMaxFilters = 8;

// As the output functions of all columns print it, with NULL told from an empty
// value.
std::string Image(const TableMapping& table, absl::string_view alias) {
  return absl::StrCat(
      "ROW(",
      absl::StrJoin(table.lookup, ", ",
                    [&](std::string* out, size_t column) {
                      absl::StrAppend(
                          out, alias, ".",
                          QuoteIdentifier(table.TargetOf(column).name));
                    }),
      ")::pg_catalog.text COLLATE pg_catalog.\"C\"");
}

// With an array of its values; there is none of arrays.
bool UsesIndex(const TargetColumn& column) {
  return column.indexed && !column.array_type.empty();
}

// To print every row of a table takes ten times as long as to leave out most of
// them by single values before: those of columns whose equality hashes.
std::vector<const TargetColumn*> Filters(const TableMapping& table) {
  std::vector<const TargetColumn*> filters;
  for (const size_t column : table.lookup) {
    const TargetColumn& target = table.TargetOf(column);
    if (target.hashes) filters.push_back(&target);
  }
  // The one with an index first.
  std::stable_partition(
      filters.begin(), filters.end(),
      [](const TargetColumn* column) { return UsesIndex(*column); });
  if (filters.size() > kMaxFilters) filters.resize(kMaxFilters);
  return filters;
}

// Row `o` of the table may be one that was sent.
std::string Condition(const TargetColumn& column, size_t filter) {
  const std::string value = Stored(column, "o");
  const std::string sent = absl::StrCat("sent.v", filter);
  const std::string any =
      filter == 0 && UsesIndex(column)
          ? absl::StrCat("ARRAY(SELECT DISTINCT ", sent, " FROM sent)")
          : absl::StrCat("SELECT ", sent, " FROM sent WHERE ", sent,
                         " IS NOT NULL");
  return absl::StrCat("(", value, " ", column.equality, " ANY (", any, ") OR ",
                      value, " IS NULL)");
}

}  // namespace

// Planned with only nested loops allowed (apply_session.cc), of which there is
// one that it should have: each row's place, and the row there. The other
// comparisons are `= ANY (SELECT ...)` within OR or IS TRUE, which keeps them
// from becoming joins: a hash table is asked for each row. The row is compared
// once more where it is deleted, because another session may just have changed
// it.
std::string BuildDeleteByValues(const TableMapping& table) {
  const std::string name = Quote(table.target.name);
  const std::string only = Only(table.target);
  std::string values;
  std::string where;
  const std::vector<const TargetColumn*> filters = Filters(table);
  for (size_t filter = 0; filter < filters.size(); ++filter) {
    absl::StrAppend(&values, Stored(*filters[filter], "v"), " AS v", filter,
                    ", ");
    absl::StrAppend(&where, filter == 0 ? " WHERE " : " AND ",
                    Condition(*filters[filter], filter));
  }
  constexpr absl::string_view kNumbered =
      "SELECT r.*, pg_catalog.row_number() OVER (PARTITION BY r.image) AS nth "
      "FROM (SELECT ";
  return absl::StrCat(
      "WITH sent AS MATERIALIZED (", kNumbered, values, Image(table, "v"),
      " AS image FROM pg_catalog.unnest($1::", name,
      "[]) AS v) AS r), found AS MATERIALIZED (", kNumbered,
      "o.tableoid AS part, o.ctid AS place, ", Image(table, "o"),
      " AS image FROM ", only, " AS o", where,
      ") AS r WHERE (r.image OPERATOR(pg_catalog.=) ANY (SELECT sent.image "
      "FROM sent)) IS TRUE) DELETE FROM ",
      only,
      " AS o USING found WHERE o.tableoid OPERATOR(pg_catalog.=) found.part "
      "AND o.ctid OPERATOR(pg_catalog.=) found.place AND ",
      Image(table, "o"),
      " OPERATOR(pg_catalog.=) found.image AND (ROW(found.image, found.nth) "
      "OPERATOR(pg_catalog.=) ANY (SELECT sent.image, sent.nth FROM sent)) "
      "IS TRUE");
}

}  // namespace walferry
