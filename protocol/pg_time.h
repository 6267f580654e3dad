#ifndef PROTOCOL_PG_TIME_H_
#define PROTOCOL_PG_TIME_H_

// PostgreSQL's wire time: microseconds since 2000-01-01 00:00:00 UTC
// (datatype/timestamp.h), to and from absl::Time.

#include <cstdint>

#include "absl/time/time.h"

namespace walferry {

inline constexpr int64_t kPgEpochUnixSeconds = 946684800;

inline absl::Time FromPgTime(int64_t microseconds) {
  return absl::FromUnixSeconds(kPgEpochUnixSeconds) +
         absl::Microseconds(microseconds);
}

inline int64_t ToPgTime(absl::Time time) {
  return absl::ToInt64Microseconds(time -
                                   absl::FromUnixSeconds(kPgEpochUnixSeconds));
}

}  // namespace walferry

#endif  // PROTOCOL_PG_TIME_H_
