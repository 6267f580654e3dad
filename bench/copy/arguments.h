#ifndef BENCH_COPY_ARGUMENTS_H_
#define BENCH_COPY_ARGUMENTS_H_

// What copy is told to measure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

struct CopyArguments {
  double scale = 1;
  int repeat = 1;
  std::string json;  // Empty: none.
  bool dump = true;
  bool floor = true;
  bool walferry = true;
  // What follows `walferry migrate` and its connections.
  std::vector<std::string> walferry_args;
};

// kInvalidArgument: says what is wrong.
absl::StatusOr<CopyArguments> ParseCopyArguments(int argc, char** argv);

// How copy is called.
std::string CopyUsage();

}  // namespace walferry

#endif  // BENCH_COPY_ARGUMENTS_H_
