#ifndef APPLY_MIN_COPY_ROWS_H_
#define APPLY_MIN_COPY_ROWS_H_

// From how many rows on COPY is faster than INSERT of an array.

#include <algorithm>
#include <cstddef>

#include "absl/time/time.h"

namespace walferry {

// COPY takes about 0.8 us a row less, but twice the target's answer has to be
// waited for, while everything else is sent in one go. `nearby`: how many rows
// it takes where an answer takes no longer than half a millisecond.
inline size_t MinCopyRows(size_t nearby, absl::Duration round_trip) {
  constexpr absl::Duration kNearby = absl::Microseconds(500);
  constexpr absl::Duration kGainPerRow = absl::Nanoseconds(800);
  if (round_trip <= kNearby) return nearby;
  const double rows = absl::FDivDuration(2 * round_trip, kGainPerRow);
  return std::max(nearby, static_cast<size_t>(rows));
}

}  // namespace walferry

#endif  // APPLY_MIN_COPY_ROWS_H_
