#ifndef BENCH_CATCHUP_RESULT_H_
#define BENCH_CATCHUP_RESULT_H_

// The figures of one workload, measured in one run on one pair of servers.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "bench/catchup/drain.h"

namespace walferry {

// One way to bring the target up to date.
struct CatchUp {
  absl::Duration elapsed;
  absl::Duration walsender_cpu;
  // The backends that write: a client's sessions, or the apply workers.
  absl::Duration target_cpu;
  // Of walferry itself; a subscription has no client.
  absl::Duration client_cpu;
  int64_t client_peak_kib = 0;
};

struct Result {
  std::string workload;
  std::string what;            // The workload in one line.
  std::string server_version;  // As the source says it.
  DrainResult floor;
  // Nothing stands for what was left out.
  std::optional<CatchUp> native;
  std::optional<CatchUp> walferry;
  // walferry with a proxy before its target, which lets through at once, or
  // after half of a round trip's time in each direction.
  std::optional<CatchUp> proxied;
  std::optional<CatchUp> delayed;
};

// How much longer the round trips make it, in per cent.
inline std::optional<double> LossPercent(const Result& result) {
  if (!result.proxied.has_value() || !result.delayed.has_value()) return {};
  return 100 *
         (absl::FDivDuration(result.delayed->elapsed, result.proxied->elapsed) -
          1);
}

}  // namespace walferry

#endif  // BENCH_CATCHUP_RESULT_H_
