#ifndef BENCH_LATENCY_ARGUMENTS_H_
#define BENCH_LATENCY_ARGUMENTS_H_

// What latency is told to measure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

struct LatencyArguments {
  bool native = false;  // CREATE SUBSCRIPTION instead of walferry.
  int seconds = 60;
  int rate = 500;                          // Transactions per second.
  std::string json;                        // Empty: none.
  std::vector<std::string> walferry_args;  // Added to `walferry follow`.
};

// kInvalidArgument: says what is wrong.
absl::StatusOr<LatencyArguments> ParseLatencyArguments(int argc, char** argv);

// How latency is called.
std::string LatencyUsage();

}  // namespace walferry

#endif  // BENCH_LATENCY_ARGUMENTS_H_
