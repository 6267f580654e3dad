#include "apply/table_mapping.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "apply/portable_types.h"
#include "apply/text_needed.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string Subject(const QualifiedName& name) {
  return absl::StrCat("target relation \"", name.schema, ".", name.name, "\"");
}

// `column: "a"` or `columns: "a", "b"`.
std::string ColumnList(const std::vector<absl::string_view>& names) {
  return absl::StrCat(names.size() == 1 ? "column" : "columns", ": \"",
                      absl::StrJoin(names, "\", \""), "\"");
}

absl::Status MapColumns(TableMapping& mapping) {
  absl::flat_hash_map<absl::string_view, size_t> index_of;
  for (size_t index = 0; index < mapping.target.columns.size(); ++index) {
    index_of.emplace(mapping.target.columns[index].name, index);
  }
  std::vector<absl::string_view> missing;
  for (const SourceColumn& column : mapping.source.columns) {
    const auto found = index_of.find(column.name);
    if (found == index_of.end()) {
      missing.push_back(column.name);
    } else {
      mapping.target_columns.push_back(found->second);
    }
  }
  if (missing.empty()) return absl::OkStatus();
  return WithHint(absl::FailedPreconditionError(absl::StrCat(
                      Subject(mapping.target.name), " is missing replicated ",
                      ColumnList(missing))),
                  "add what is missing on the target, as the source has it, "
                  "and run again");
}

// The columns of the target's key that the source's key values do not cover.
std::vector<absl::string_view> FindKey(TableMapping& mapping) {
  std::vector<bool> covered(mapping.target.columns.size());
  for (size_t column = 0; column < mapping.source.columns.size(); ++column) {
    if (!mapping.TargetOf(column).key) continue;
    if (!mapping.source.columns[column].key) continue;
    mapping.lookup.push_back(column);
    covered[mapping.target_columns[column]] = true;
  }
  std::vector<absl::string_view> missing;
  for (size_t index = 0; index < covered.size(); ++index) {
    const TargetColumn& column = mapping.target.columns[index];
    if (column.key && !covered[index]) missing.push_back(column.name);
  }
  return missing;
}

absl::Status ChooseLookup(TableMapping& mapping) {
  const std::vector<absl::string_view> missing = FindKey(mapping);
  if (missing.empty() && !mapping.lookup.empty()) {
    mapping.lookup_is_key = true;
    return absl::OkStatus();
  }
  mapping.lookup.clear();
  if (mapping.source.identity == ReplicaIdentity::kFull) {
    for (size_t column = 0; column < mapping.source.columns.size(); ++column) {
      if (!mapping.TargetOf(column).generated) mapping.lookup.push_back(column);
    }
    return absl::OkStatus();
  }
  if (missing.empty()) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            Subject(mapping.target.name),
            " has neither a replica identity index nor a primary key, and the "
            "source does not send whole old rows")),
        "create the key on the target, or set REPLICA IDENTITY FULL on the "
        "source's table");
  }
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the source does not send the replica identity that ",
          Subject(mapping.target.name), " is found by, ", ColumnList(missing))),
      "give both tables the same primary key, or set REPLICA IDENTITY FULL on "
      "the source's table");
}

void MapOtherKeys(TableMapping& mapping) {
  std::vector<std::optional<size_t>> source_of(mapping.target.columns.size());
  for (size_t column = 0; column < mapping.source.columns.size(); ++column) {
    const TargetColumn& target = mapping.TargetOf(column);
    if (target.generated || target.equality.empty()) continue;
    source_of[mapping.target_columns[column]] = column;
  }
  for (const std::vector<size_t>& key : mapping.target.other_keys) {
    std::vector<size_t> columns;
    for (const size_t index : key) {
      if (source_of[index]) columns.push_back(*source_of[index]);
    }
    if (columns.size() == key.size()) {
      mapping.other_keys.push_back(std::move(columns));
    }
  }
}

absl::Status CheckTypes(const TableMapping& mapping) {
  for (size_t column = 0; column < mapping.source.columns.size(); ++column) {
    const uint32_t source = mapping.source.columns[column].type_oid;
    const uint32_t target = mapping.TargetOf(column).type_oid;
    if (source == target && IsPortableType(source)) continue;
    return TextNeededError(absl::StrCat(
        "column \"", mapping.source.columns[column].name, "\" of ",
        Subject(mapping.target.name), " takes no binary values: it is of type ",
        target, ", the source's of type ", source));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<size_t> TableMapping::FilledColumns() const {
  std::vector<size_t> columns;
  for (size_t column = 0; column < source.columns.size(); ++column) {
    if (!TargetOf(column).generated) columns.push_back(column);
  }
  return columns;
}

bool TableMapping::HasOwnColumns() const {
  std::vector<bool> sent(target.columns.size());
  for (const size_t index : target_columns) sent[index] = true;
  for (size_t index = 0; index < sent.size(); ++index) {
    if (!sent[index] && !target.columns[index].generated) return true;
  }
  return false;
}

absl::StatusOr<TableMapping> MapTable(const SourceRelation& source,
                                      TargetTable target) {
  TableMapping mapping{.source = source, .target = std::move(target)};
  RETURN_IF_ERROR(MapColumns(mapping));
  mapping.updatable = ChooseLookup(mapping);
  MapOtherKeys(mapping);
  mapping.takes_binary = CheckTypes(mapping);
  return mapping;
}

}  // namespace walferry
