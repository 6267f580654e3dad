#include "engine/verify/row_differences.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "absl/types/span.h"
#include "engine/verify/both_sides.h"
#include "engine/verify/row_values.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows of one side that are looked at one by one in one statement: some 30 MB.
constexpr int64_t kRowsAtOnce = 100'000;
// So many are not divided any more.
constexpr int64_t kFewRows = 2000;
constexpr int64_t kRowsInBucket = 500;
constexpr int64_t kMaxBuckets = int64_t{1} << 17;
// Rows whose values are there at once before they are kept.
constexpr size_t kDescribedAtOnce = 100;

// The power of two that makes buckets of about kRowsInBucket.
int64_t BucketsFor(int64_t rows) {
  if (rows <= kFewRows) return 1;
  int64_t buckets = 1;
  while (buckets < kMaxBuckets && buckets * kRowsInBucket < rows) buckets *= 2;
  return buckets;
}

// Both sides' digests of a bucket.
using Buckets = absl::btree_map<int64_t, DigestPair>;

absl::Status AddBuckets(const PgResult& rows, Digest DigestPair::*side,
                        Buckets& buckets) {
  for (int row = 0; row < rows.rows(); ++row) {
    ASSIGN_OR_RETURN(const int64_t bucket, rows.Int64(row, 0));
    Digest& digest = buckets[bucket].*side;
    ASSIGN_OR_RETURN(digest.rows, rows.Int64(row, 1));
    ASSIGN_OR_RETURN(digest.sum, ParseSum(rows.Text(row, 2)));
  }
  return absl::OkStatus();
}

// A row whose values are not known yet.
struct SeenRow {
  std::string hash;
  RowPlace place;
};
struct SeenRows {
  std::vector<SeenRow> source, target;
};
using RowsByKey = absl::btree_map<std::string, SeenRows>;

// "public.part (0,1)", " (0,1)".
RowPlace PlaceOf(absl::string_view text) {
  const size_t space = text.rfind(' ');
  return {.table = std::string(text.substr(0, space)),
          .ctid = std::string(text.substr(space + 1))};
}

void AddRows(const PgResult& rows, std::vector<SeenRow> SeenRows::*side,
             RowsByKey& by_key) {
  for (int row = 0; row < rows.rows(); ++row) {
    (by_key[std::string(rows.Text(row, 1))].*side)
        .push_back({.hash = std::string(rows.Text(row, 2)),
                    .place = PlaceOf(rows.Text(row, 0))});
  }
}

// Of a table without a key: rows that are equal, and where one of them is.
struct EqualRows {
  int64_t rows = 0;
  RowPlace place;
};
struct SeenCounts {
  EqualRows source, target;
};
using CountsByHash = absl::btree_map<std::string, SeenCounts>;

absl::Status AddCounts(const PgResult& rows, EqualRows SeenCounts::*side,
                       CountsByHash& by_hash) {
  for (int row = 0; row < rows.rows(); ++row) {
    EqualRows& equal = by_hash[std::string(rows.Text(row, 1))].*side;
    ASSIGN_OR_RETURN(equal.rows, rows.Int64(row, 2));
    equal.place = PlaceOf(rows.Text(row, 0));
  }
  return absl::OkStatus();
}

// Takes away what both sides have.
void CancelEqual(SeenRows& rows) {
  const auto by_hash = [](const SeenRow& a, const SeenRow& b) {
    return a.hash < b.hash;
  };
  absl::c_sort(rows.source, by_hash);
  absl::c_sort(rows.target, by_hash);
  std::vector<SeenRow> source, target;
  absl::c_set_difference(rows.source, rows.target, std::back_inserter(source),
                         by_hash);
  absl::c_set_difference(rows.target, rows.source, std::back_inserter(target),
                         by_hash);
  rows = {.source = std::move(source), .target = std::move(target)};
}

// A difference that is to be described: places of either side's row, if it is
// there.
struct ToDescribe {
  RowDifference::Kind kind;
  const RowPlace* source = nullptr;
  const RowPlace* target = nullptr;
  int64_t source_count = 1;
  int64_t target_count = 1;
};

class RowSearch {
 public:
  RowSearch(SessionPair& sessions, const TablePair& table, const Piece& piece,
            const RowLook& look, int64_t max_rows, RowRoom& room)
      : sessions_(sessions),
        table_(table),
        piece_(piece),
        look_(look),
        max_rows_(max_rows),
        room_(room) {}

  absl::StatusOr<RowFindings> Search(const DigestPair& digests) {
    const int64_t buckets =
        BucketsFor(std::max(digests.source.rows, digests.target.rows));
    mask_ = buckets - 1;
    Buckets differing;
    if (mask_ == 0) {
      differing[0] = digests;
    } else {
      ASSIGN_OR_RETURN(differing, ReadBuckets());
    }
    // Some are counted even if none can be kept.
    while (!differing.empty()) {
      RETURN_IF_ERROR(LookInto(TakeSome(differing)));
      if (differing.empty() || !IsFull()) continue;
      findings_.rows_left_out = findings_.at_least = true;
      break;
    }
    return std::move(findings_);
  }

 private:
  bool IsFull() const {
    return room_.full() ||
           static_cast<int64_t>(findings_.rows.size()) >= max_rows_;
  }

  std::string BucketKeySql(const TableSide& side) const {
    return table_.key.empty() ? "" : HashSql(look_.hash, KeyTextSql(side));
  }

  // OFFSET 0 keeps the server from computing an expression for each place that
  // names it.
  std::string BucketsSql(const TableSide& side,
                         absl::string_view condition) const {
    return absl::StrCat(
        PlannerSql(piece_), "SELECT ", table_.key.empty() ? "d" : "k", " & ",
        mask_, ", count(*), sum(d) FROM (SELECT ",
        table_.key.empty() ? "" : absl::StrCat(BucketKeySql(side), " AS k, "),
        RowHashSql(look_.hash, side), " AS d FROM ", side.from,
        WhereSql(table_, condition), " OFFSET 0) AS r GROUP BY 1");
  }

  // Those that differ.
  absl::StatusOr<Buckets> ReadBuckets() {
    ASSIGN_OR_RETURN(
        const BothAnswers answers,
        AskBoth(sessions_, BucketsSql(table_.source, piece_.source_condition),
                BucketsSql(table_.target, piece_.target_condition)));
    Buckets buckets;
    RETURN_IF_ERROR(AddBuckets(answers.source, &DigestPair::source, buckets));
    RETURN_IF_ERROR(AddBuckets(answers.target, &DigestPair::target, buckets));
    absl::erase_if(buckets, [](const auto& bucket) {
      return bucket.second.source == bucket.second.target;
    });
    return buckets;
  }

  // As many as may be read at once, at least one.
  static std::vector<int64_t> TakeSome(Buckets& differing) {
    std::vector<int64_t> some;
    int64_t rows = 0;
    while (!differing.empty()) {
      const auto& [bucket, digests] = *differing.begin();
      rows += std::max(digests.source.rows, digests.target.rows);
      if (!some.empty() && rows > kRowsAtOnce) break;
      some.push_back(bucket);
      differing.erase(differing.begin());
    }
    return some;
  }

  // The condition on a subquery's row: its key's text is k, its hash d.
  std::string FilterSql(const std::vector<int64_t>& buckets) const {
    if (mask_ == 0) return "";
    return absl::Substitute(" WHERE ($0 & $1) = ANY ('{$2}'::bigint[])",
                            table_.key.empty() ? "d" : HashSql(look_.hash, "k"),
                            mask_, absl::StrJoin(buckets, ","));
  }

  // Where it is, key, hash. Of a table without a key: where one of them is,
  // hash, how many there are.
  std::string RowsSql(const TableSide& side, absl::string_view condition,
                      const std::vector<int64_t>& buckets) const {
    const bool by_key = !table_.key.empty();
    return absl::StrCat(PlannerSql(piece_), "SELECT ",
                        by_key ? "place, k, d" : "min(place), d, count(*)",
                        " FROM (SELECT ",
                        table_.whole_tree ? "tableoid::regclass::text" : "''",
                        " || ' ' || ", "ctid::text AS place, ",
                        by_key ? absl::StrCat(KeyTextSql(side), " AS k, ") : "",
                        RowHashSql(look_.hash, side), " AS d FROM ", side.from,
                        WhereSql(table_, condition), " OFFSET 0) AS r",
                        FilterSql(buckets), by_key ? "" : " GROUP BY d");
  }

  absl::StatusOr<BothAnswers> ReadRows(const std::vector<int64_t>& buckets) {
    return AskBoth(sessions_,
                   RowsSql(table_.source, piece_.source_condition, buckets),
                   RowsSql(table_.target, piece_.target_condition, buckets));
  }

  absl::Status LookInto(const std::vector<int64_t>& buckets) {
    if (table_.key.empty()) return LookIntoCounts(buckets);
    RowsByKey by_key;
    {
      ASSIGN_OR_RETURN(const BothAnswers answers, ReadRows(buckets));
      AddRows(answers.source, &SeenRows::source, by_key);
      AddRows(answers.target, &SeenRows::target, by_key);
    }
    std::vector<ToDescribe> found;
    for (auto& [key, rows] : by_key) {
      CancelEqual(rows);
      PairRows(rows, found);
    }
    return Describe(found);
  }

  absl::Status LookIntoCounts(const std::vector<int64_t>& buckets) {
    CountsByHash by_hash;
    {
      ASSIGN_OR_RETURN(const BothAnswers answers, ReadRows(buckets));
      RETURN_IF_ERROR(AddCounts(answers.source, &SeenCounts::source, by_hash));
      RETURN_IF_ERROR(AddCounts(answers.target, &SeenCounts::target, by_hash));
    }
    std::vector<ToDescribe> found;
    for (const auto& [hash, rows] : by_hash) {
      const int64_t source = rows.source.rows, target = rows.target.rows;
      if (source == target) continue;
      findings_.missing += std::max<int64_t>(0, source - target);
      findings_.extra += std::max<int64_t>(0, target - source);
      if (look_.clients_write && target > source) continue;
      found.push_back({.kind = source > target ? RowDifference::Kind::kMissing
                                               : RowDifference::Kind::kExtra,
                       .source = source > 0 ? &rows.source.place : nullptr,
                       .target = target > 0 ? &rows.target.place : nullptr,
                       .source_count = source,
                       .target_count = target});
    }
    return Describe(found);
  }

  // All of these have one key, and none is on the other side.
  void PairRows(const SeenRows& rows, std::vector<ToDescribe>& found) {
    for (size_t i = 0; i < std::max(rows.source.size(), rows.target.size());
         ++i) {
      ToDescribe one{.kind = RowDifference::Kind::kDifferent};
      if (i < rows.source.size()) one.source = &rows.source[i].place;
      if (i < rows.target.size()) one.target = &rows.target[i].place;
      if (one.target == nullptr) {
        one.kind = RowDifference::Kind::kMissing;
        one.target_count = 0;
        ++findings_.missing;
      } else if (one.source == nullptr) {
        one.kind = RowDifference::Kind::kExtra;
        one.source_count = 0;
        ++findings_.extra;
        if (look_.clients_write) continue;
      } else {
        ++findings_.different;
      }
      found.push_back(one);
    }
  }

  absl::Status Describe(const std::vector<ToDescribe>& found) {
    absl::Span<const ToDescribe> left = found;
    while (!left.empty()) {
      if (IsFull()) {
        findings_.rows_left_out = true;
        return absl::OkStatus();
      }
      const auto may = static_cast<size_t>(
          max_rows_ - static_cast<int64_t>(findings_.rows.size()));
      const auto some =
          left.first(std::min({left.size(), may, kDescribedAtOnce}));
      RETURN_IF_ERROR(DescribeSome(some));
      left.remove_prefix(some.size());
    }
    return absl::OkStatus();
  }

  absl::Status DescribeSome(absl::Span<const ToDescribe> found) {
    std::vector<RowPlace> on_source, on_target;
    for (const ToDescribe& one : found) {
      if (one.source != nullptr) on_source.push_back(*one.source);
      // Where the source has it too, only its differences are of interest.
      if (one.target != nullptr &&
          (one.source == nullptr || !table_.key.empty())) {
        on_target.push_back(*one.target);
      }
    }
    const auto source =
        ReadRowValues(sessions_.source, table_.source, look_.hash, on_source);
    if (!source.ok()) return Annotate(source.status(), "source");
    const auto target =
        ReadRowValues(sessions_.target, table_.target, look_.hash, on_target);
    if (!target.ok()) return Annotate(target.status(), "target");
    for (const ToDescribe& one : found) {
      RowDifference row = Described(
          one, one.source ? &source->at(*one.source) : nullptr,
          one.target && target->contains(*one.target) ? &target->at(*one.target)
                                                      : nullptr);
      if (!room_.Take(row)) {
        findings_.rows_left_out = true;
        return absl::OkStatus();
      }
      findings_.rows.push_back(std::move(row));
    }
    return absl::OkStatus();
  }

  RowDifference Described(const ToDescribe& one, const RowValues* source,
                          const RowValues* target) const {
    RowDifference difference{.kind = one.kind,
                             .key = NameOf(source ? *source : *target),
                             .source_count = one.source_count,
                             .target_count = one.target_count};
    if (one.kind != RowDifference::Kind::kDifferent) return difference;
    for (size_t i = 0; i < table_.columns.size(); ++i) {
      if ((*source)[i] == (*target)[i]) continue;
      difference.columns.push_back({.column = table_.columns[i],
                                    .source = (*source)[i],
                                    .target = (*target)[i]});
    }
    return difference;
  }

  // "id=17" by the key; of a table without one, all columns.
  std::string NameOf(const RowValues& values) const {
    const bool by_key = !table_.key.empty();
    const std::vector<std::string>& names =
        by_key ? table_.key : table_.columns;
    const size_t first = by_key ? table_.columns.size() : 0;
    std::vector<std::string> parts;
    for (size_t i = 0; i < names.size(); ++i) {
      const std::optional<std::string>& value = values[first + i];
      parts.push_back(absl::StrCat(names[i], "=", value.value_or("NULL")));
    }
    return absl::StrJoin(parts, ", ");
  }

  SessionPair& sessions_;
  const TablePair& table_;
  const Piece& piece_;
  const RowLook& look_;
  const int64_t max_rows_;
  RowRoom& room_;
  int64_t mask_ = 0;
  RowFindings findings_;
};

}  // namespace

absl::StatusOr<RowFindings> FindRowDifferences(
    SessionPair& sessions, const TablePair& table, const Piece& piece,
    const RowLook& look, const DigestPair& digests, int64_t max_rows,
    RowRoom& room) {
  return RowSearch(sessions, table, piece, look, max_rows, room)
      .Search(digests);
}

}  // namespace walferry
