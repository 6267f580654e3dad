#include "engine/verify/row_differences.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "engine/verify/row_search.h"
#include "engine/verify/row_values.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows whose values are there at once before they are kept.
constexpr size_t kDescribedAtOnce = 100;

// "id=17" by the key; of a table without one, all columns.
std::string NameOf(const TablePair& table, const RowValues& values) {
  const bool by_key = !table.key.empty();
  const std::vector<std::string>& names = by_key ? table.key : table.columns;
  const size_t first = by_key ? table.columns.size() : 0;
  std::vector<std::string> parts;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::optional<std::string>& value = values[first + i];
    parts.push_back(absl::StrCat(names[i], "=", value.value_or("NULL")));
  }
  return absl::StrJoin(parts, ", ");
}

// Null where the row was not read.
RowDifference Described(const TablePair& table, const FoundRow& row,
                        const RowValues* source, const RowValues* target) {
  RowDifference difference{.kind = row.kind,
                           .key = NameOf(table, source ? *source : *target),
                           .source_count = row.source_count,
                           .target_count = row.target_count};
  if (row.kind != RowDifference::Kind::kDifferent) return difference;
  for (size_t i = 0; i < table.columns.size(); ++i) {
    if ((*source)[i] == (*target)[i]) continue;
    difference.columns.push_back({.column = table.columns[i],
                                  .source = (*source)[i],
                                  .target = (*target)[i]});
  }
  return difference;
}

absl::StatusOr<std::vector<RowDifference>> Describe(
    SessionPair& sessions, const TablePair& table, const RowLook& look,
    absl::Span<const FoundRow> found) {
  // Where the source has it too, only its differences are of interest.
  const auto is_read_on_target = [&](const FoundRow& row) {
    return row.target.has_value() &&
           (!row.source.has_value() || !table.key.empty());
  };
  std::vector<RowPlace> on_source, on_target;
  for (const FoundRow& row : found) {
    if (row.source.has_value()) on_source.push_back(*row.source);
    if (is_read_on_target(row)) on_target.push_back(*row.target);
  }
  const auto source =
      ReadRowValues(sessions.source, table.source, look.hash, on_source);
  if (!source.ok()) return Annotate(source.status(), "source");
  const auto target =
      ReadRowValues(sessions.target, table.target, look.hash, on_target);
  if (!target.ok()) return Annotate(target.status(), "target");
  std::vector<RowDifference> differences;
  for (const FoundRow& row : found) {
    differences.push_back(Described(
        table, row, row.source.has_value() ? &source->at(*row.source) : nullptr,
        is_read_on_target(row) ? &target->at(*row.target) : nullptr));
  }
  return differences;
}

}  // namespace

absl::StatusOr<RowFindings> FindRowDifferences(
    SessionPair& sessions, const TablePair& table, const Piece& piece,
    const RowLook& look, const DigestPair& digests, int64_t max_rows,
    RowRoom& room) {
  // Some are counted even if none can be kept.
  ASSIGN_OR_RETURN(const FoundRows found,
                   SearchRows(sessions, table, piece, look, digests,
                              room.full() ? 0 : max_rows));
  RowFindings findings{.missing = found.missing,
                       .extra = found.extra,
                       .different = found.different,
                       .rows_left_out = found.left_out,
                       .at_least = found.at_least};
  absl::Span<const FoundRow> left = found.rows;
  while (!left.empty()) {
    const auto some = left.first(std::min(left.size(), kDescribedAtOnce));
    ASSIGN_OR_RETURN(std::vector<RowDifference> rows,
                     Describe(sessions, table, look, some));
    for (RowDifference& row : rows) {
      if (!room.Take(row)) {
        findings.rows_left_out = true;
        return findings;
      }
      findings.rows.push_back(std::move(row));
    }
    left.remove_prefix(some.size());
  }
  return findings;
}

}  // namespace walferry
