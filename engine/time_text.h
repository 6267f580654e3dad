#ifndef ENGINE_TIME_TEXT_H_
#define ENGINE_TIME_TEXT_H_

// A time as a person reads it.

#include <string>

#include "absl/time/time.h"

namespace walferry {

// "2026-11-22 10:15:00 UTC".
inline std::string TimeText(absl::Time time) {
  return absl::FormatTime("%Y-%m-%d %H:%M:%S UTC", time, absl::UTCTimeZone());
}

}  // namespace walferry

#endif  // ENGINE_TIME_TEXT_H_
