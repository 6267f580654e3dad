#ifndef BENCH_VERIFY_ARGUMENTS_H_
#define BENCH_VERIFY_ARGUMENTS_H_

// What verify is told to measure.

#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

struct VerifyArguments {
  double scale = 1;
  int repeat = 1;
  int jobs = 2;  // Of both: sessions on each side.
  // What follows `walferry verify`, its connections and its jobs.
  std::vector<std::string> walferry_args;
};

// kInvalidArgument: says what is wrong.
absl::StatusOr<VerifyArguments> ParseVerifyArguments(int argc, char** argv);

// How verify is called.
std::string VerifyUsage();

}  // namespace walferry

#endif  // BENCH_VERIFY_ARGUMENTS_H_
