#ifndef BENCH_CATCHUP_COMPARISON_H_
#define BENCH_CATCHUP_COMPARISON_H_

// One workload, and everybody who is to catch up with it, one after the other
// on the same pair of servers.

#include "absl/status/statusor.h"
#include "bench/catchup/arguments.h"
#include "bench/catchup/result.h"
#include "bench/catchup/workload.h"

namespace walferry {

// kDataLoss: somebody's database was not equal to the source's in the end.
absl::StatusOr<Result> Compare(const Workload& workload,
                               const Arguments& arguments);

}  // namespace walferry

#endif  // BENCH_CATCHUP_COMPARISON_H_
