#include "engine/verify/range_repair.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/substitute.h"
#include "engine/name_some.h"
#include "engine/verify/repair_sql.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kRowsAtOnce = 100;
constexpr int64_t kBytesAtOnce = int64_t{8} << 20;
constexpr size_t kTupleBytesAtOnce = size_t{1} << 20;
constexpr int64_t kCopiesAtOnce = 100'000;

using Texts = ValuesByPlace;

// Of one side. The expressions of each row that has a place.
absl::StatusOr<Texts> ReadTexts(PgConnection& session, const TableSide& side,
                                absl::string_view side_name,
                                absl::Span<const std::string> expressions,
                                absl::Span<const FoundRow* const> rows,
                                std::optional<RowPlace> FoundRow::*place) {
  std::vector<RowPlace> places;
  for (const FoundRow* row : rows) {
    if ((row->*place).has_value()) places.push_back(*(row->*place));
  }
  absl::StatusOr<Texts> texts =
      ReadAtPlaces(session, side, expressions, places);
  if (!texts.ok()) return Annotate(texts.status(), side_name);
  return texts;
}

int64_t SizeIn(const Texts& sizes, const std::optional<RowPlace>& place) {
  int64_t size = 0;
  if (!place.has_value()) return size;
  const auto found = sizes.find(*place);
  if (found == sizes.end() || found->second.empty()) return size;
  if (!absl::SimpleAtoi(found->second.front().value_or("0"), &size)) return 0;
  return size;
}

// Puts tuples together to statements of a bounded size.
class Insertion {
 public:
  Insertion(const RepairTable& table, RepairSink& sink)
      : table_(table), sink_(sink) {}

  absl::Status Add(std::string tuple) {
    bytes_ += tuple.size();
    tuples_.push_back(std::move(tuple));
    if (tuples_.size() < kRowsAtOnce && bytes_ < kTupleBytesAtOnce) {
      return absl::OkStatus();
    }
    return End();
  }

  absl::Status End() {
    if (tuples_.empty()) return absl::OkStatus();
    std::string sql = InsertRowsSql(table_.pair->name, table_.written, tuples_);
    tuples_.clear();
    bytes_ = 0;
    return sink_.Take(std::move(sql));
  }

 private:
  const RepairTable& table_;
  RepairSink& sink_;
  std::vector<std::string> tuples_;
  size_t bytes_ = 0;
};

}  // namespace

bool RoundsFloats(const SessionPair& sessions) {
  return std::min(sessions.source.server_version(),
                  sessions.target.server_version()) < kShortestFloats;
}

RangeRepair::RangeRepair(SessionPair& sessions, const RepairTable& table,
                         const DifferingPiece& range, const RowLook& look,
                         int64_t max_rows)
    : sessions_(sessions),
      table_(table),
      pair_(*table.pair),
      range_(range),
      look_(look),
      max_rows_(max_rows) {
  for (const std::string& column : table.written) {
    written_.push_back(QuoteIdentifier(column));
  }
}

std::string RangeRepair::Name() const {
  const std::string& condition = range_.piece.target_condition;
  return absl::StrCat(ToDisplay(pair_.name),
                      condition.empty() ? "" : ", rows where ", condition);
}

absl::StatusOr<DigestPair> RangeRepair::Digests() {
  return DigestPiece(sessions_, pair_, range_.piece, look_);
}

absl::Status RangeRepair::Search(const DigestPair& digests) {
  ASSIGN_OR_RETURN(found_, SearchRows(sessions_, pair_, range_.piece, look_,
                                      digests, max_rows_));
  replaced_.clear();
  return FindReplaced();
}

RangeRepair::Rows RangeRepair::OfKind(RowDifference::Kind kind) const {
  Rows rows;
  for (const FoundRow& row : found_.rows) {
    if (row.kind == kind) rows.push_back(&row);
  }
  return rows;
}

// A hundred rows, or some megabytes of them; of the target's rows too if `both`
// are going to be read.
absl::Status RangeRepair::InBatches(const Rows& rows, bool both,
                                    const BatchWork& work) {
  const std::vector<std::string> size = {absl::StrCat(
      "octet_length(ROW(", absl::StrJoin(written_, ", "), ")::text)")};
  absl::Span<const FoundRow* const> left = rows;
  while (!left.empty()) {
    const auto some = left.first(std::min(left.size(), kRowsAtOnce));
    ASSIGN_OR_RETURN(const Texts source,
                     ReadTexts(sessions_.source, pair_.source, "source", size,
                               some, &FoundRow::source));
    Texts target;
    if (both) {
      ASSIGN_OR_RETURN(target,
                       ReadTexts(sessions_.target, pair_.target, "target", size,
                                 some, &FoundRow::target));
    }
    size_t taken = 0;
    int64_t bytes = 0;
    while (taken < some.size()) {
      bytes += SizeIn(source, some[taken]->source);
      if (both) bytes += SizeIn(target, some[taken]->target);
      if (taken > 0 && bytes > kBytesAtOnce) break;
      ++taken;
    }
    RETURN_IF_ERROR(work(left.first(taken)));
    left.remove_prefix(taken);
  }
  return absl::OkStatus();
}

// Of one side. Of all columns that are written: exactly, although hashes, and
// the texts of keys, have floats of 15 digits.
absl::StatusOr<ValuesByPlace> RangeRepair::ReadValues(
    PgConnection& session, const TableSide& side, absl::string_view side_name,
    absl::Span<const FoundRow* const> rows,
    std::optional<RowPlace> FoundRow::*place) {
  if (!RoundsFloats(sessions_)) {
    return ReadTexts(session, side, side_name, written_, rows, place);
  }
  // If it fails between, the transaction takes it back.
  RETURN_IF_ERROR(
      Annotate(session.Exec("SET extra_float_digits = 3").status(), side_name));
  ASSIGN_OR_RETURN(ValuesByPlace values,
                   ReadTexts(session, side, side_name, written_, rows, place));
  RETURN_IF_ERROR(
      Annotate(session.Exec("SET extra_float_digits = 0").status(), side_name));
  return values;
}

absl::Status RangeRepair::FindReplaced() {
  if (table_.replaced.empty()) return absl::OkStatus();
  const BatchWork compare_some =
      [this](absl::Span<const FoundRow* const> some) -> absl::Status {
    ASSIGN_OR_RETURN(const Texts source,
                     ReadValues(sessions_.source, pair_.source, "source", some,
                                &FoundRow::source));
    ASSIGN_OR_RETURN(const Texts target,
                     ReadValues(sessions_.target, pair_.target, "target", some,
                                &FoundRow::target));
    for (const FoundRow* row : some) {
      const ValueTexts& there = source.at(*row->source);
      const ValueTexts& here = target.at(*row->target);
      for (size_t i = 0; i < there.size(); ++i) {
        if (there[i] == here[i]) continue;
        if (!table_.replaced.contains(table_.written[i])) continue;
        replaced_.insert(row);
      }
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(InBatches(OfKind(RowDifference::Kind::kDifferent),
                            /*both=*/true, compare_some));
  if (replaced_.empty() || table_.own.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "rows would have to be deleted and inserted anew, and columns that only "
      "the target has would lose their values: ",
      NameSome(table_.own)));
}

absl::Status RangeRepair::Delete(RepairSink& sink) {
  if (pair_.key.empty()) return DeleteCopies(sink);
  Rows rows = OfKind(RowDifference::Kind::kExtra);
  counts_.deleted += static_cast<int64_t>(rows.size());
  rows.insert(rows.end(), replaced_.begin(), replaced_.end());
  counts_.updated += static_cast<int64_t>(replaced_.size());
  absl::c_sort(rows,
               [](const FoundRow* a, const FoundRow* b) { return a < b; });
  absl::Span<const FoundRow* const> left = rows;
  while (!left.empty()) {
    const auto some = left.first(std::min(left.size(), kRowsAtOnce));
    RETURN_IF_ERROR(DeleteRows(some, sink));
    left.remove_prefix(some.size());
  }
  return absl::OkStatus();
}

absl::Status RangeRepair::DeleteRows(absl::Span<const FoundRow* const> rows,
                                     RepairSink& sink) {
  ASSIGN_OR_RETURN(Texts keys,
                   ReadTexts(sessions_.target, pair_.target, "target",
                             pair_.target.key_texts, rows, &FoundRow::target));
  for (const FoundRow* row : rows) {
    RETURN_IF_ERROR(
        sink.Take(DeleteRowSql(pair_, look_.hash,
                               {.table = row->target->table,
                                .ctid = row->target->ctid,
                                .hash = row->hash,
                                .key = std::move(keys[*row->target])})));
  }
  return absl::OkStatus();
}

absl::Status RangeRepair::DeleteCopies(RepairSink& sink) {
  const Rows rows = OfKind(RowDifference::Kind::kExtra);
  absl::Span<const FoundRow* const> left = rows;
  while (!left.empty()) {
    size_t taken = 0;
    int64_t copies = 0;
    while (taken < left.size()) {
      copies += left[taken]->target_count - left[taken]->source_count;
      if (taken > 0 && copies > kCopiesAtOnce) break;
      ++taken;
    }
    RETURN_IF_ERROR(DeleteSomeCopies(left.first(taken), sink));
    left.remove_prefix(taken);
  }
  return absl::OkStatus();
}

// Which of several equal rows go is the same to everybody.
absl::Status RangeRepair::DeleteSomeCopies(
    absl::Span<const FoundRow* const> rows, RepairSink& sink) {
  std::vector<std::string> hashes, copies;
  for (const FoundRow* row : rows) {
    const int64_t surplus = row->target_count - row->source_count;
    hashes.push_back(row->hash);
    copies.push_back(absl::StrCat(std::min(surplus, kCopiesAtOnce)));
    found_.left_out |= surplus > kCopiesAtOnce;
  }
  const absl::StatusOr<PgResult> places =
      sessions_.target.Exec(absl::Substitute(
          "SELECT r.place, r.d FROM (SELECT place, d, row_number() OVER "
          "(PARTITION BY d ORDER BY place) AS number FROM (SELECT $0 AS place, "
          "$1 AS d FROM $2$3 OFFSET 0) AS each WHERE d = ANY "
          "('{$4}'::bigint[])) AS r JOIN unnest('{$4}'::bigint[], "
          "'{$5}'::bigint[]) AS wanted (d, copies) ON wanted.d = r.d WHERE "
          "r.number <= wanted.copies ORDER BY r.place",
          PlaceSql(pair_), RowHashSql(look_.hash, pair_.target),
          pair_.target.from, WhereSql(pair_, range_.piece.target_condition),
          absl::StrJoin(hashes, ","), absl::StrJoin(copies, ",")));
  if (!places.ok()) return Annotate(places.status(), "target");
  for (int row = 0; row < places->rows(); ++row) {
    RowPlace place = ParsePlace(places->Text(row, 0));
    RETURN_IF_ERROR(
        sink.Take(DeleteRowSql(pair_, look_.hash,
                               {.table = std::move(place.table),
                                .ctid = std::move(place.ctid),
                                .hash = std::string(places->Text(row, 1))})));
    ++counts_.deleted;
  }
  return absl::OkStatus();
}

absl::Status RangeRepair::Write(RepairSink& sink) {
  RETURN_IF_ERROR(Insert(sink));
  Rows rows = OfKind(RowDifference::Kind::kDifferent);
  std::erase_if(
      rows, [this](const FoundRow* row) { return replaced_.contains(row); });
  return InBatches(rows, /*both=*/true,
                   [&](absl::Span<const FoundRow* const> some) {
                     return Update(some, sink);
                   });
}

absl::Status RangeRepair::Insert(RepairSink& sink) {
  Rows rows;
  for (const FoundRow& row : found_.rows) {
    if (row.kind == RowDifference::Kind::kMissing || replaced_.contains(&row)) {
      rows.push_back(&row);
    }
  }
  Insertion insertion(table_, sink);
  const BatchWork insert_some =
      [&](absl::Span<const FoundRow* const> some) -> absl::Status {
    ASSIGN_OR_RETURN(const Texts source,
                     ReadValues(sessions_.source, pair_.source, "source", some,
                                &FoundRow::source));
    for (const FoundRow* row : some) {
      const bool anew = replaced_.contains(row);
      const int64_t copies = anew ? 1 : row->source_count - row->target_count;
      const std::string tuple = TupleSql(source.at(*row->source));
      for (int64_t copy = 0; copy < copies; ++copy) {
        RETURN_IF_ERROR(insertion.Add(tuple));
      }
      if (!anew) counts_.inserted += copies;
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(InBatches(rows, /*both=*/false, insert_some));
  return insertion.End();
}

absl::Status RangeRepair::Update(absl::Span<const FoundRow* const> rows,
                                 RepairSink& sink) {
  ASSIGN_OR_RETURN(const Texts source,
                   ReadValues(sessions_.source, pair_.source, "source", rows,
                              &FoundRow::source));
  ASSIGN_OR_RETURN(const Texts target,
                   ReadValues(sessions_.target, pair_.target, "target", rows,
                              &FoundRow::target));
  ASSIGN_OR_RETURN(Texts keys,
                   ReadTexts(sessions_.target, pair_.target, "target",
                             pair_.target.key_texts, rows, &FoundRow::target));
  for (const FoundRow* row : rows) {
    const ValueTexts& there = source.at(*row->source);
    const ValueTexts& here = target.at(*row->target);
    Assignments assignments;
    for (size_t i = 0; i < there.size(); ++i) {
      if (there[i] != here[i]) {
        assignments.emplace_back(table_.written[i], there[i]);
      }
    }
    if (assignments.empty()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "a row differs only in columns that the target generates: ",
          NameSome(table_.generated)));
    }
    RETURN_IF_ERROR(
        sink.Take(UpdateRowSql(pair_, look_.hash,
                               {.table = row->target->table,
                                .ctid = row->target->ctid,
                                .hash = row->hash,
                                .key = std::move(keys[*row->target])},
                               assignments)));
    ++counts_.updated;
  }
  return absl::OkStatus();
}

}  // namespace walferry
