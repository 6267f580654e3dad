#include "apply/table_sql.h"

#include "absl/strings/str_cat.h"
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

}  // namespace walferry
