#ifndef BENCH_COPY_WALFERRY_RUN_H_
#define BENCH_COPY_WALFERRY_RUN_H_

// The command walferry, as a user would call it.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/copy/copy_servers.h"
#include "bench/copy/result.h"

namespace walferry {

// `walferry migrate` with `arguments` into the target's database `name`, from
// its start to its end. The parts are the phases that it tells of.
absl::StatusOr<CopyRun> RunWalferry(const CopyServers& servers,
                                    const std::string& name,
                                    const std::vector<std::string>& arguments);

}  // namespace walferry

#endif  // BENCH_COPY_WALFERRY_RUN_H_
