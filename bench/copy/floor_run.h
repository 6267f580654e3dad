#ifndef BENCH_COPY_FLOOR_RUN_H_
#define BENCH_COPY_FLOOR_RUN_H_

// The floor: pairs of psql with COPY | COPY, then the indexes.

#include <string>

#include "absl/status/statusor.h"
#include "bench/copy/copy_servers.h"
#include "bench/copy/result.h"

namespace walferry {

// Into the target's database `name`, whose tables are there when the clock
// starts. Two pairs at a time, the largest table first and each in one piece,
// without a snapshot that they share; two indexes at a time.
absl::StatusOr<CopyRun> RunFloor(const CopyServers& servers,
                                 const std::string& name);

}  // namespace walferry

#endif  // BENCH_COPY_FLOOR_RUN_H_
