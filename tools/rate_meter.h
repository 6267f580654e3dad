#ifndef TOOLS_RATE_METER_H_
#define TOOLS_RATE_METER_H_

// How fast a counter grows, over the last seconds rather than since the start.

#include <deque>

#include "absl/time/time.h"

namespace walferry {

class RateMeter {
 public:
  // The counter's value `elapsed` after some start. A counter or a time that
  // went back begins anew.
  void Add(absl::Duration elapsed, double value);

  // 0 until two different times are known.
  double PerSecond() const;

 private:
  struct Sample {
    absl::Duration elapsed;
    double value = 0;
  };
  std::deque<Sample> samples_;  // Oldest first; about kWindow long.
};

}  // namespace walferry

#endif  // TOOLS_RATE_METER_H_
