#include "apply/applied_counts.h"

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// "; inserts: 3 decoded, 2 applied", or nothing.
std::string Difference(absl::string_view kind, int64_t decoded,
                       int64_t applied) {
  if (decoded == applied) return "";
  return absl::StrCat("; ", kind, ": ", decoded, " decoded, ", applied,
                      " applied");
}

std::string Differences(const TableCounts& counts) {
  const auto& [decoded, applied] = counts;
  return absl::StrCat(
      Difference("inserts", decoded.inserts, applied.inserts),
      Difference("updates", decoded.updates, applied.updates),
      Difference("deletes", decoded.deletes, applied.deletes),
      Difference("truncates", decoded.truncates, applied.truncates));
}

}  // namespace

void AppliedCounts::Start(const ChangeBatch& batch) {
  batch_.clear();
  last_ = nullptr;
  for (const DecodedTable& table : batch.decoded()) {
    batch_[table.relation->name].decoded += table.counts;
  }
}

void AppliedCounts::Add(const QualifiedName& table,
                        const ChangeCounts& counts) {
  if (last_ == nullptr || last_->first != table) {
    last_ = &*batch_.try_emplace(table).first;
  }
  last_->second.applied += counts;
}

void AppliedCounts::Add(const QualifiedName& table, ChangeKind kind) {
  ChangeCounts one;
  one.of(kind) = 1;
  Add(table, one);
}

void AppliedCounts::ReturnTo(CountsByTable mark) {
  batch_ = std::move(mark);
  last_ = nullptr;
}

absl::Status AppliedCounts::Check() const {
  for (const auto& [table, counts] : batch_) {
    if (counts.agree()) continue;
    return WithHint(
        absl::InternalError(absl::StrCat(
            "changes of ", ToDisplay(table),
            " were lost or applied twice, so that nothing of this batch is "
            "committed",
            Differences(counts))),
        "this is a fault of walferry, please report it; the position has not "
        "moved, and a run with --apply-jobs 1 may get past it");
  }
  return absl::OkStatus();
}

void AppliedCounts::Carry() {
  carried_ = Totals();
  batch_.clear();
  last_ = nullptr;
}

CountsByTable AppliedCounts::Totals() const {
  CountsByTable totals = batch_;
  for (const auto& [table, counts] : carried_) totals[table] += counts;
  return totals;
}

void AppliedCounts::Clear() {
  batch_.clear();
  carried_.clear();
  last_ = nullptr;
}

}  // namespace walferry
