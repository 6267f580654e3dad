#ifndef BENCH_CATCHUP_WALFERRY_RUN_H_
#define BENCH_CATCHUP_WALFERRY_RUN_H_

// The command walferry, as a user would call it.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "bench/catchup/result.h"
#include "bench/catchup/server_pair.h"

namespace walferry {

struct WalferryRun {
  std::string name;  // Of its slot, and of its database on the target.
  std::string target_conninfo;
  std::vector<std::string> arguments;  // Added to those that are needed.
};

// `walferry follow` from its start to its end. kDataLoss: the databases differ
// then.
absl::StatusOr<CatchUp> RunWalferry(const ServerPair& servers,
                                    const WalferryRun& run);

}  // namespace walferry

#endif  // BENCH_CATCHUP_WALFERRY_RUN_H_
