#include "engine/verify/row_search.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/btree_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "engine/verify/both_sides.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Rows of one side that are looked at one by one in one statement: some 30 MB.
constexpr int64_t kRowsAtOnce = 100'000;
// So many are not divided any more.
constexpr int64_t kFewRows = 2000;
constexpr int64_t kRowsInBucket = 500;
constexpr int64_t kMaxBuckets = int64_t{1} << 17;

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

void AddRows(const PgResult& rows, std::vector<SeenRow> SeenRows::*side,
             RowsByKey& by_key) {
  for (int row = 0; row < rows.rows(); ++row) {
    (by_key[std::string(rows.Text(row, 1))].*side)
        .push_back({.hash = std::string(rows.Text(row, 2)),
                    .place = ParsePlace(rows.Text(row, 0))});
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
    equal.place = ParsePlace(rows.Text(row, 0));
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

class RowSearch {
 public:
  RowSearch(SessionPair& sessions, const TablePair& table, const Piece& piece,
            const RowLook& look, int64_t max_rows)
      : sessions_(sessions),
        table_(table),
        piece_(piece),
        look_(look),
        max_rows_(max_rows) {}

  absl::StatusOr<FoundRows> Search(const DigestPair& digests) {
    const int64_t buckets =
        BucketsFor(std::max(digests.source.rows, digests.target.rows));
    mask_ = buckets - 1;
    Buckets differing;
    if (mask_ == 0) {
      differing[0] = digests;
    } else {
      ASSIGN_OR_RETURN(differing, ReadBuckets());
    }
    while (!differing.empty()) {
      RETURN_IF_ERROR(LookInto(TakeSome(differing)));
      if (differing.empty() || !IsFull()) continue;
      found_.left_out = found_.at_least = true;
      break;
    }
    return std::move(found_);
  }

 private:
  bool IsFull() const {
    return static_cast<int64_t>(found_.rows.size()) >= max_rows_;
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
                        " FROM (SELECT ", PlaceSql(table_), " AS place, ",
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
    for (auto& [key, rows] : by_key) {
      CancelEqual(rows);
      PairRows(rows);
    }
    return absl::OkStatus();
  }

  absl::Status LookIntoCounts(const std::vector<int64_t>& buckets) {
    CountsByHash by_hash;
    {
      ASSIGN_OR_RETURN(const BothAnswers answers, ReadRows(buckets));
      RETURN_IF_ERROR(AddCounts(answers.source, &SeenCounts::source, by_hash));
      RETURN_IF_ERROR(AddCounts(answers.target, &SeenCounts::target, by_hash));
    }
    for (const auto& [hash, rows] : by_hash) {
      const int64_t source = rows.source.rows, target = rows.target.rows;
      if (source == target) continue;
      found_.missing += std::max<int64_t>(0, source - target);
      found_.extra += std::max<int64_t>(0, target - source);
      if (look_.clients_write && target > source) continue;
      FoundRow row{.kind = source > target ? RowDifference::Kind::kMissing
                                           : RowDifference::Kind::kExtra,
                   .hash = hash,
                   .source_count = source,
                   .target_count = target};
      if (source > 0) row.source = rows.source.place;
      if (target > 0) row.target = rows.target.place;
      Add(std::move(row));
    }
    return absl::OkStatus();
  }

  // All of these have one key, and none is on the other side.
  void PairRows(const SeenRows& rows) {
    for (size_t i = 0; i < std::max(rows.source.size(), rows.target.size());
         ++i) {
      FoundRow row{.kind = RowDifference::Kind::kDifferent};
      if (i < rows.source.size()) row.source = rows.source[i].place;
      if (i < rows.target.size()) {
        row.target = rows.target[i].place;
        row.hash = rows.target[i].hash;
      }
      if (!row.target.has_value()) {
        row.kind = RowDifference::Kind::kMissing;
        row.target_count = 0;
        ++found_.missing;
      } else if (!row.source.has_value()) {
        row.kind = RowDifference::Kind::kExtra;
        row.source_count = 0;
        ++found_.extra;
        if (look_.clients_write) continue;
      } else {
        ++found_.different;
      }
      Add(std::move(row));
    }
  }

  // `row` has one of the places at least.
  void Add(FoundRow row) {
    if (IsFull()) {
      found_.left_out = true;
    } else {
      found_.rows.push_back(std::move(row));
    }
  }

  SessionPair& sessions_;
  const TablePair& table_;
  const Piece& piece_;
  const RowLook& look_;
  const int64_t max_rows_;
  int64_t mask_ = 0;
  FoundRows found_;
};

}  // namespace

absl::StatusOr<FoundRows> SearchRows(SessionPair& sessions,
                                     const TablePair& table, const Piece& piece,
                                     const RowLook& look,
                                     const DigestPair& digests,
                                     int64_t max_rows) {
  return RowSearch(sessions, table, piece, look, max_rows).Search(digests);
}

}  // namespace walferry
