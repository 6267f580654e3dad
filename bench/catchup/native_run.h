#ifndef BENCH_CATCHUP_NATIVE_RUN_H_
#define BENCH_CATCHUP_NATIVE_RUN_H_

// PostgreSQL's own way to catch up: CREATE SUBSCRIPTION.

#include <string>

#include "absl/status/statusor.h"
#include "bench/catchup/result.h"
#include "bench/catchup/server_pair.h"
#include "bench/catchup/stream_options.h"

namespace walferry {

// From enabling a subscription in the target's database native until its slot,
// native, has confirmed the end. kDataLoss: the databases differ then.
absl::StatusOr<CatchUp> RunNative(const ServerPair& servers,
                                  const StreamOptions& stream);

}  // namespace walferry

#endif  // BENCH_CATCHUP_NATIVE_RUN_H_
