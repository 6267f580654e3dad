#include "engine/stream/write_rhythm.h"

#include <algorithm>

namespace walferry {
namespace {

constexpr absl::Duration kWindow = absl::Seconds(10);
constexpr absl::Duration kLeast = absl::Milliseconds(100);
constexpr absl::Duration kMost = absl::Seconds(3);
constexpr int kGaps = 3;

}  // namespace

void WriteRhythm::Note(absl::Time now, int64_t transactions) {
  if (transactions == transactions_) return;
  transactions_ = transactions;
  arrivals_.push_back(now);
  while (now - arrivals_.front() > kWindow) arrivals_.pop_front();
}

absl::Duration WriteRhythm::SilenceNeeded(absl::Time now) const {
  // One alone has no rhythm.
  if (arrivals_.size() < 2) return kLeast;
  const auto gaps = static_cast<int64_t>(arrivals_.size() - 1);
  const absl::Duration gap = (arrivals_.back() - arrivals_.front()) / gaps;
  return std::max(std::min(kGaps * gap, kMost) - (now - arrivals_.back()),
                  kLeast);
}

}  // namespace walferry
