#include "engine/verify/table_work.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"

namespace walferry {

TableWork::TableWork(const TablePair& pair) : pair_(pair), begun_(absl::Now()) {
  verdict_.table = pair.name;
}

void TableWork::Begin(const TablePieces& cut, std::vector<size_t> chosen,
                      int64_t kept, int64_t kept_rows) {
  cut_ = cut;
  chosen_ = std::move(chosen);
  left_ = static_cast<int64_t>(chosen_.size());
  verdict_.ranges = left_ + kept;
  verdict_.ranges_total = static_cast<int64_t>(cut_.pieces.size());
  verdict_.ranges_kept = kept;
  digests_.source.rows = digests_.target.rows = kept_rows;
}

bool TableWork::AddDigests(const DigestPair& digests) {
  digests_.source += digests.source;
  digests_.target += digests.target;
  if (cut_.by_key && !(digests.source == digests.target)) range_differs_ = true;
  return ++digested_ == chosen_.size();
}

void TableWork::AddFindings(size_t piece, RowFindings findings) {
  verdict_.missing += findings.missing;
  verdict_.extra += findings.extra;
  verdict_.different += findings.different;
  verdict_.rows_left_out |= findings.rows_left_out;
  verdict_.at_least |= findings.at_least;
  found_ += static_cast<int64_t>(findings.rows.size());
  rows_[piece] = std::move(findings.rows);
}

void TableWork::Fail(const absl::Status& why) {
  if (failed_) return;
  failed_ = true;
  verdict_.detail = std::string(why.message());
}

void TableWork::End(const RowLook& look, int64_t max_reported) {
  verdict_.elapsed = absl::Now() - begun_;
  for (auto& [piece, rows] : rows_) {
    verdict_.rows.insert(verdict_.rows.end(),
                         std::make_move_iterator(rows.begin()),
                         std::make_move_iterator(rows.end()));
  }
  if (static_cast<int64_t>(verdict_.rows.size()) > max_reported) {
    verdict_.rows.resize(static_cast<size_t>(max_reported));
    verdict_.rows_left_out = true;
  }
  if (look.clients_write) LeaveToClients();
  if (failed_) {
    EndFailed(look);
    return;
  }
  if (verdict_.ranges == verdict_.ranges_total && !rows_sampled_) {
    verdict_.source_rows = digests_.source.rows;
    verdict_.target_rows = digests_.target.rows;
  }
  std::vector<std::string> details;
  if (!pair_.difference.empty()) details.push_back(pair_.difference);
  if (rows_sampled_) details.push_back("some rows of each range, by their key");
  const bool differs = DigestsDiffer(look);
  if (look.count_only && differs && verdict_.source_rows < 0) {
    details.push_back(absl::StrCat(digests_.source.rows,
                                   " rows on the source, ",
                                   digests_.target.rows, " on the target"));
  }
  if (verdict_.rows_left_out) {
    details.push_back(
        absl::StrCat("there are more differences than are reported",
                     verdict_.at_least ? ", and not all were counted" : ""));
  }
  verdict_.detail = absl::StrJoin(details, "; ");
  verdict_.outcome = differs || !pair_.difference.empty()
                         ? TableVerdict::Outcome::kDifferent
                         : TableVerdict::Outcome::kEqual;
  // What was not looked at may be missing.
  if (verdict_.outcome == TableVerdict::Outcome::kEqual && look.clients_write &&
      verdict_.at_least) {
    verdict_.outcome = TableVerdict::Outcome::kUnknown;
  }
}

void TableWork::LeaveToClients() {
  verdict_.of_clients =
      std::max(verdict_.extra, digests_.target.rows - digests_.source.rows);
  verdict_.extra = 0;
}

// Where clients write, digests alone prove nothing but by what they lack.
bool TableWork::DigestsDiffer(const RowLook& look) const {
  if (!look.clients_write) {
    return range_differs_ || !(digests_.source == digests_.target);
  }
  return verdict_.missing + verdict_.different > 0 ||
         digests_.target.rows < digests_.source.rows;
}

// What is known to differ does, whatever else nobody knows.
void TableWork::EndFailed(const RowLook& look) {
  const bool all_digests = !chosen_.empty() && digested_ == chosen_.size();
  const bool differs = (range_differs_ && !look.clients_write) ||
                       verdict_.missing + verdict_.different > 0 ||
                       (all_digests && DigestsDiffer(look)) ||
                       !pair_.difference.empty();
  if (!differs) {
    verdict_.outcome = TableVerdict::Outcome::kUnknown;
    return;
  }
  verdict_.outcome = TableVerdict::Outcome::kDifferent;
  verdict_.detail =
      absl::StrCat(pair_.difference, pair_.difference.empty() ? "" : "; ",
                   "not all of it could be compared: ", verdict_.detail);
}

}  // namespace walferry
