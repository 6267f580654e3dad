#include "apply/table_sql.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"

namespace walferry {

std::string Only(const TargetTable& table) {
  return absl::StrCat(table.partitioned ? "" : "ONLY ", Quote(table.name));
}

std::string Stored(const TargetColumn& column, absl::string_view alias) {
  const std::string name =
      absl::StrCat(alias, ".", QuoteIdentifier(column.name));
  return column.type == column.base_type
             ? name
             : absl::StrCat(name, "::", column.base_type);
}

std::string SameValues(const TableMapping& table,
                       absl::Span<const size_t> columns) {
  return absl::StrJoin(columns, " AND ", [&](std::string* out, size_t column) {
    const TargetColumn& target = table.TargetOf(column);
    absl::StrAppend(out, Stored(target, "o"), " ", target.equality, " ",
                    Stored(target, "v"));
  });
}

}  // namespace walferry
