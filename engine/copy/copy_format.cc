#include "engine/copy/copy_format.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "apply/portable_types.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// From there on the binary forms of portable types are the same.
constexpr int kVersion13 = 130000;

// `('id', 20)` of each stored column; empty if one of them is not portable, or
// if there is none.
std::vector<std::string> PortableColumns(const CatalogTable& table) {
  std::vector<std::string> columns;
  for (const CatalogColumn& column : table.columns) {
    if (column.generated != 0) continue;
    if (!IsPortableType(column.type_oid)) return {};
    columns.push_back(absl::StrCat("(", QuoteLiteral(column.name), ", ",
                                   column.type_oid, ")"));
  }
  return columns;
}

}  // namespace

absl::StatusOr<CopyFormat> FormatFor(const CatalogTable& table,
                                     const PgConnection& source,
                                     PgConnection& target) {
  if (source.server_version() < kVersion13 ||
      target.server_version() < kVersion13) {
    return CopyFormat::kText;
  }
  const std::vector<std::string> columns = PortableColumns(table);
  if (columns.empty()) return CopyFormat::kText;
  ASSIGN_OR_RETURN(
      const std::string same,
      target.QueryValue(absl::StrCat(
          "SELECT count(*) = ", columns.size(),
          " FROM pg_catalog.pg_attribute WHERE attrelid = "
          "pg_catalog.to_regclass(",
          QuoteLiteral(Quote(table.name)),
          ") AND attnum > 0 AND NOT attisdropped AND (attname, atttypid) IN (",
          absl::StrJoin(columns, ", "), ")")));
  return same == "t" ? CopyFormat::kBinary : CopyFormat::kText;
}

}  // namespace walferry
