#include "engine/verify/large_object_comparison.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "absl/types/span.h"
#include "engine/verify/both_sides.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kObjectsAtOnce = 64;

constexpr char kNumbers[] =
    "SELECT oid FROM pg_largeobject_metadata ORDER BY oid";

// Number, size, and a hash of the hashes of its pieces of 1 MiB: the server
// holds no more of it at once. An object of no bytes has no piece. Descriptors
// would be there until the transaction ends. OFFSET 0 keeps each step behind
// the one before it.
std::string DigestSql(RowHash hash, absl::Span<const int64_t> numbers) {
  return absl::Substitute(
      "SELECT o, n, coalesce((SELECT sum($0) FROM generate_series(0, (n - 1) / "
      "1048576) AS i), 0), lo_close(f) FROM (SELECT o, f, lo_lseek64(f, 0, 2) "
      "AS n FROM (SELECT o, lo_open(o, 262144) AS f FROM "
      "unnest('{$1}'::oid[]) AS o OFFSET 0) AS opened OFFSET 0) AS s",
      HashSql(hash,
              "(i::text || ' ' || encode(lo_get(o, i * 1048576, 1048576), "
              "'hex'))"),
      absl::StrJoin(numbers, ","));
}

absl::StatusOr<std::vector<int64_t>> ReadNumbers(const PgResult& rows) {
  std::vector<int64_t> numbers(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(numbers[static_cast<size_t>(row)], rows.Int64(row, 0));
  }
  return numbers;
}

void Add(RowDifference difference, int64_t max_reported,
         TableVerdict& verdict) {
  switch (difference.kind) {
    case RowDifference::Kind::kMissing:
      ++verdict.missing;
      break;
    case RowDifference::Kind::kExtra:
      ++verdict.extra;
      break;
    case RowDifference::Kind::kDifferent:
      ++verdict.different;
      break;
  }
  if (static_cast<int64_t>(verdict.rows.size()) < max_reported) {
    verdict.rows.push_back(std::move(difference));
  } else {
    verdict.rows_left_out = true;
  }
}

std::string NameOf(int64_t number) { return absl::StrCat("loid=", number); }

// Objects that both sides have.
absl::Status CompareContents(SessionPair& sessions, RowHash hash,
                             absl::Span<const int64_t> numbers,
                             int64_t max_reported, TableVerdict& verdict) {
  const std::string sql = DigestSql(hash, numbers);
  ASSIGN_OR_RETURN(const BothAnswers answers, AskBoth(sessions, sql, sql));
  absl::btree_map<int64_t, std::string> contents;
  const auto describe = [](const PgResult& rows, int row) {
    return absl::StrCat(rows.Text(row, 1), " bytes, hash ", rows.Text(row, 2));
  };
  for (int row = 0; row < answers.source.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t number, answers.source.Int64(row, 0));
    contents[number] = describe(answers.source, row);
  }
  for (int row = 0; row < answers.target.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t number, answers.target.Int64(row, 0));
    std::string content = describe(answers.target, row);
    if (contents[number] == content) continue;
    Add({.kind = RowDifference::Kind::kDifferent,
         .key = NameOf(number),
         .columns = {{.column = "data",
                      .source = contents[number],
                      .target = std::move(content)}}},
        max_reported, verdict);
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::optional<TableVerdict>> CompareLargeObjects(
    SessionPair& sessions, RowHash hash, bool count_only,
    int64_t max_reported) {
  const absl::Time begun = absl::Now();
  ASSIGN_OR_RETURN(const BothAnswers lists,
                   AskBoth(sessions, kNumbers, kNumbers));
  ASSIGN_OR_RETURN(const std::vector<int64_t> source,
                   ReadNumbers(lists.source));
  ASSIGN_OR_RETURN(const std::vector<int64_t> target,
                   ReadNumbers(lists.target));
  if (source.empty() && target.empty()) return std::nullopt;
  TableVerdict verdict;
  verdict.table = {"pg_catalog", "pg_largeobject"};
  verdict.source_rows = static_cast<int64_t>(source.size());
  verdict.target_rows = static_cast<int64_t>(target.size());
  verdict.ranges = verdict.ranges_total = 1;
  verdict.method = count_only ? "count" : std::string(RowHashName(hash));
  const std::set<int64_t> on_source(source.begin(), source.end());
  const std::set<int64_t> on_target(target.begin(), target.end());
  std::vector<int64_t> both;
  for (const int64_t number : source) {
    if (on_target.contains(number)) {
      both.push_back(number);
    } else {
      Add({.kind = RowDifference::Kind::kMissing,
           .key = NameOf(number),
           .target_count = 0},
          max_reported, verdict);
    }
  }
  for (const int64_t number : target) {
    if (on_source.contains(number)) continue;
    Add({.kind = RowDifference::Kind::kExtra,
         .key = NameOf(number),
         .source_count = 0},
        max_reported, verdict);
  }
  absl::Span<const int64_t> left = both;
  while (!left.empty() && !count_only) {
    const auto some = left.first(std::min(left.size(), kObjectsAtOnce));
    RETURN_IF_ERROR(
        CompareContents(sessions, hash, some, max_reported, verdict));
    left.remove_prefix(some.size());
  }
  verdict.outcome = verdict.missing + verdict.extra + verdict.different > 0
                        ? TableVerdict::Outcome::kDifferent
                        : TableVerdict::Outcome::kEqual;
  verdict.elapsed = absl::Now() - begun;
  return verdict;
}

}  // namespace walferry
