#include "tools/human_format.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace walferry {

std::string HumanBytes(double bytes) {
  constexpr absl::string_view kUnits[] = {"B",   "KiB", "MiB", "GiB",
                                          "TiB", "PiB", "EiB"};
  size_t unit = 0;
  // What would be rounded to 1024 belongs to the next unit.
  while (std::abs(bytes) >= 1023.5 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  const bool fraction = unit > 0 && std::abs(bytes) < 9.95;
  return absl::StrFormat("%.*f %s", fraction ? 1 : 0, bytes, kUnits[unit]);
}

std::string HumanRate(double bytes_per_second) {
  return absl::StrCat(HumanBytes(bytes_per_second), "/s");
}

std::string HumanDuration(absl::Duration duration) {
  if (duration == absl::InfiniteDuration()) return "?";
  const double seconds = absl::ToDoubleSeconds(duration);
  if (seconds < 0.9995) return absl::StrFormat("%.0f ms", seconds * 1000);
  if (seconds < 9.95) return absl::StrFormat("%.1f s", seconds);
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole < 60) return absl::StrFormat("%d s", whole);
  if (whole < 3600) {
    return absl::StrFormat("%d min %02d s", whole / 60, whole % 60);
  }
  const int64_t minutes = whole / 60;
  if (minutes < 24 * 60) {
    return absl::StrFormat("%d h %02d min", minutes / 60, minutes % 60);
  }
  return absl::StrFormat("%d d %02d h", minutes / (24 * 60), minutes / 60 % 24);
}

std::string HumanCount(int64_t count) {
  std::string digits = absl::StrCat(count);
  const size_t first_digit = count < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first_digit + 3;) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string HumanCount(int64_t count, absl::string_view singular,
                       absl::string_view plural) {
  return absl::StrCat(HumanCount(count), " ", count == 1 ? singular : plural);
}

std::string HumanPercent(double part, double whole) {
  const double percent = 100 * part / whole;
  if (part < whole) return absl::StrFormat("%.0f%%", std::min(percent, 99.0));
  return "100%";
}

}  // namespace walferry
