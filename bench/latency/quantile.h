#ifndef BENCH_LATENCY_QUANTILE_H_
#define BENCH_LATENCY_QUANTILE_H_

// Quantiles by nearest rank.

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/time/time.h"

namespace walferry {

// The smallest of `sorted` durations that at least `share` of them (0 to 1) do
// not exceed; the greatest of them for 1. `sorted` is not empty.
inline absl::Duration Quantile(const std::vector<absl::Duration>& sorted,
                               double share) {
  const double rank = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace walferry

#endif  // BENCH_LATENCY_QUANTILE_H_
