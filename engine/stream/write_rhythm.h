#ifndef ENGINE_STREAM_WRITE_RHYTHM_H_
#define ENGINE_STREAM_WRITE_RHYTHM_H_

// How often the source was written lately, and so how long a silence must be
// before it means that its writers have stopped.

#include <cstdint>
#include <deque>

#include "absl/time/time.h"

namespace walferry {

class WriteRhythm {
 public:
  // `transactions` have come so far. Called many times a second.
  void Note(absl::Time now, int64_t transactions);

  // How much longer nothing must come: three times the mean gap between the
  // arrivals of the last ten seconds in which some came, at least 100 ms and at
  // most 3 s, less the silence that there is already. Never less than 100 ms,
  // which is to be seen by whoever asks.
  absl::Duration SilenceNeeded(absl::Time now) const;

 private:
  int64_t transactions_ = 0;
  // When some came, the last ten seconds before the last of them.
  std::deque<absl::Time> arrivals_;
};

}  // namespace walferry

#endif  // ENGINE_STREAM_WRITE_RHYTHM_H_
