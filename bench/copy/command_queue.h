#ifndef BENCH_COPY_COMMAND_QUEUE_H_
#define BENCH_COPY_COMMAND_QUEUE_H_

// Programs that are run side by side.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace walferry {

// After this a run is given up.
inline constexpr absl::Duration kRunPatience = absl::Minutes(30);

using Command = std::vector<std::string>;

// Two programs, the first one's output being the other's input; fails if one
// of them does.
Command Pipeline(const Command& from, const Command& into);

// Runs them in their order, `jobs` at a time. kUnknown: one has failed, and
// this is what it said; the others have been killed. `peak_kib`, if it is not
// null, is raised to the most memory that one of them has had.
absl::Status RunCommands(const std::vector<Command>& commands, size_t jobs,
                         int64_t* peak_kib = nullptr);

}  // namespace walferry

#endif  // BENCH_COPY_COMMAND_QUEUE_H_
