#ifndef BENCH_CATCHUP_ARGUMENTS_H_
#define BENCH_CATCHUP_ARGUMENTS_H_

// What catchup is told to measure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "bench/catchup/stream_options.h"

namespace walferry {

struct Arguments {
  std::vector<std::string> workloads;  // By name; empty: all.
  double scale = 1;
  int repeat = 1;
  std::string json;  // Empty: none.
  bool native = true;
  bool walferry = true;
  // Zero: walferry is not measured behind a proxy.
  absl::Duration round_trip;
  int target_indexes = 0;  // Of each table, beyond those of the source.
  StreamOptions stream;
  std::vector<std::string> walferry_args;  // Added to `walferry follow`.
};

// kInvalidArgument: says what is wrong.
absl::StatusOr<Arguments> ParseArguments(int argc, char** argv);

// How catchup is called.
std::string Usage();

}  // namespace walferry

#endif  // BENCH_CATCHUP_ARGUMENTS_H_
