#ifndef TESTS_APPLY_TABLE_BUILDER_H_
#define TESTS_APPLY_TABLE_BUILDER_H_

// Tables and rows for tests that need no server.

#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/table_mapping.h"
#include "protocol/tuple.h"

namespace walferry {

inline TargetColumn TypedColumn(std::string name, const std::string& type) {
  return {.name = std::move(name),
          .type = type,
          .type_oid = 25,
          .base_type = type,
          .base_type_oid = 25,
          .array_type = type + "[]",
          .equality = "OPERATOR(pg_catalog.=)",
          .equal_is_identical = true};
}
inline TargetColumn KeyColumn(TargetColumn column) {
  column.key = true;
  return column;
}
inline TargetColumn GeneratedColumn(TargetColumn column) {
  column.generated = true;
  return column;
}
inline TargetColumn IdentityAlwaysColumn(TargetColumn column) {
  column.identity_always = true;
  return column;
}

// public.t, whose source has the same columns, but for those named "own".
inline TableMapping MapColumns(std::vector<TargetColumn> columns,
                               bool full = false, bool partitioned = false) {
  SourceRelation source{
      .id = 1,
      .name = {"public", "t"},
      .identity = full ? ReplicaIdentity::kFull : ReplicaIdentity::kDefault};
  for (const TargetColumn& column : columns) {
    if (column.name == "own") continue;
    source.columns.push_back({.name = column.name, .key = full || column.key});
  }
  return *MapTable(source, {.name = {"public", "t"},
                            .partitioned = partitioned,
                            .row_type_oid = 16400,
                            .columns = std::move(columns)});
}

inline Column TextValue(absl::string_view value) {
  return {ColumnKind::kText, value};
}
inline Column BinaryValue(absl::string_view value) {
  return {ColumnKind::kBinary, value};
}
inline Column NullValue() { return {ColumnKind::kNull, {}}; }
inline Column UnchangedValue() { return {ColumnKind::kUnchanged, {}}; }

// Keeps the rows that changes view.
class Rows {
 public:
  absl::Span<const Column> Add(std::vector<Column> row) {
    return rows_.emplace_back(std::move(row));
  }

 private:
  std::deque<std::vector<Column>> rows_;
};

}  // namespace walferry

#endif  // TESTS_APPLY_TABLE_BUILDER_H_
