#ifndef TESTS_DIFFERENTIAL_SEEDS_H_
#define TESTS_DIFFERENTIAL_SEEDS_H_

// Which seeds a run is about.

#include <cstdint>

namespace walferry {

struct Seeds {
  uint64_t first = 1;
  uint64_t last = 20;
};

// Those of the environment variable WALFERRY_TEST_SEEDS, "17" or "1-200".
// Anything else ends the process: a test of other seeds than the ones that were
// asked for would pass.
Seeds SeedsOfEnvironment();

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_SEEDS_H_
