#ifndef BENCH_LATENCY_LATENCY_RUN_H_
#define BENCH_LATENCY_LATENCY_RUN_H_

// One run: servers, a steady writer, a replication that has caught up, and
// what it takes from the commit on the source to the row on the target.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/latency/arguments.h"

namespace walferry {

struct LatencyResult {
  std::string server_version;
  // For each row, sorted. The commit's time is the server's own
  // (track_commit_timestamp), taken before it flushes its log; both servers
  // have this machine's clock.
  std::vector<absl::Duration> latencies;
  // How much too long each of them may be, sorted: the time between the
  // question that found nothing and the answer that had the row.
  std::vector<absl::Duration> errors;
  absl::Duration writing;  // From the first commit to the last one.
};

// kDataLoss: the databases differ in the end.
absl::StatusOr<LatencyResult> MeasureLatency(const LatencyArguments& arguments);

}  // namespace walferry

#endif  // BENCH_LATENCY_LATENCY_RUN_H_
