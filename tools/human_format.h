#ifndef TOOLS_HUMAN_FORMAT_H_
#define TOOLS_HUMAN_FORMAT_H_

// Figures as a person reads them. All of them are short and in ASCII.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace walferry {

// "0 B", "1.5 KiB", "85 MiB", "1.2 TiB".
std::string HumanBytes(double bytes);

// "85 MiB/s".
std::string HumanRate(double bytes_per_second);

// "350 ms", "4.2 s", "1 min 05 s", "2 h 03 min", "3 d 04 h"; "?" if infinite.
std::string HumanDuration(absl::Duration duration);

// "12,345,678".
std::string HumanCount(int64_t count);

// "1 table", "12,345 tables".
std::string HumanCount(int64_t count, absl::string_view singular,
                       absl::string_view plural);

// "35%", of a whole that is not 0; never 100% before it is all.
std::string HumanPercent(double part, double whole);

}  // namespace walferry

#endif  // TOOLS_HUMAN_FORMAT_H_
