#include "apply/table_counts.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"

namespace walferry {
namespace {

constexpr std::array<const char*, 8> kColumns = {
    "decoded_inserts",   "decoded_updates",  "decoded_deletes",
    "decoded_truncates", "applied_inserts",  "applied_updates",
    "applied_deletes",   "applied_truncates"};

std::array<int64_t, kColumns.size()> ValuesOf(const TableCounts& counts) {
  const auto& [decoded, applied] = counts;
  return {decoded.inserts, decoded.updates, decoded.deletes, decoded.truncates,
          applied.inserts, applied.updates, applied.deletes, applied.truncates};
}

std::string CountsTable(absl::string_view ledger_schema) {
  return absl::StrCat(QuoteIdentifier(ledger_schema), ".table_counts");
}

// An array in its text form grows by one element.
void AppendElement(absl::string_view element, std::string& array) {
  array.push_back(array.empty() ? '{' : ',');
  absl::StrAppend(&array, element);
}

std::string Quoted(absl::string_view name) {
  std::string quoted = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  quoted.push_back('"');
  return quoted;
}

}  // namespace

std::string TableCountsTableSql(absl::string_view ledger_schema) {
  std::string columns;
  for (const char* column : kColumns) {
    absl::StrAppend(&columns, "  ", column,
                    " pg_catalog.int8 NOT NULL DEFAULT 0,\n");
  }
  return absl::StrCat("CREATE TABLE IF NOT EXISTS ", CountsTable(ledger_schema),
                      " (\n"
                      "  stream pg_catalog.text NOT NULL REFERENCES ",
                      QuoteIdentifier(ledger_schema),
                      ".stream ON DELETE CASCADE,\n"
                      "  schema_name pg_catalog.text NOT NULL,\n"
                      "  table_name pg_catalog.text NOT NULL,\n",
                      columns,
                      "  PRIMARY KEY (stream, schema_name, table_name)\n"
                      ")");
}

std::string TableCountsColumns() { return absl::StrJoin(kColumns, ", "); }

std::string AddTableCountsSql(absl::string_view ledger_schema) {
  std::vector<std::string> arrays = {"$2::text[]", "$3::text[]"};
  std::vector<std::string> sums;
  for (const char* column : kColumns) {
    arrays.push_back(absl::StrCat("$", arrays.size() + 2, "::int8[]"));
    sums.push_back(absl::Substitute("$0 = c.$0 + EXCLUDED.$0", column));
  }
  // A division by zero: a trigger or a rule was in the way.
  return absl::StrCat(
      "WITH counted AS (INSERT INTO ", CountsTable(ledger_schema),
      " AS c (stream, schema_name, table_name, ", TableCountsColumns(),
      ") SELECT $1::text, * FROM unnest(", absl::StrJoin(arrays, ", "),
      ") ON CONFLICT (stream, schema_name, table_name) DO UPDATE SET ",
      absl::StrJoin(sums, ", "),
      " RETURNING 1) SELECT 1 / (count(*) = cardinality($2::text[]))::int4"
      " FROM counted");
}

std::vector<std::string> AddTableCountsParams(const CountsByTable& counts) {
  std::vector<std::string> arrays(2 + kColumns.size());
  for (const auto& [table, of_table] : counts) {
    AppendElement(Quoted(table.schema), arrays[0]);
    AppendElement(Quoted(table.name), arrays[1]);
    const auto values = ValuesOf(of_table);
    for (size_t column = 0; column < values.size(); ++column) {
      AppendElement(absl::StrCat(values[column]), arrays[2 + column]);
    }
  }
  for (std::string& array : arrays) array += array.empty() ? "{}" : "}";
  return arrays;
}

}  // namespace walferry
