// catchup: how long until a target has caught up with a backlog? Measured for
// the floor (a client that drops everything), for CREATE SUBSCRIPTION and for
// walferry, in one run on servers of its own. docs/performance.md has its
// table, and says how to read it.
//
// WALFERRY_TEST_SERVERS names the server's folder, as for the tests.

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "bench/catchup/arguments.h"
#include "bench/catchup/comparison.h"
#include "bench/catchup/result.h"
#include "bench/catchup/result_json.h"
#include "bench/catchup/result_table.h"
#include "bench/catchup/workload.h"

namespace walferry {
namespace {

bool Wanted(const Workload& workload, const Arguments& arguments) {
  const std::vector<std::string>& names = arguments.workloads;
  return names.empty() ||
         std::find(names.begin(), names.end(), workload.name) != names.end();
}

bool WriteJson(const Arguments& arguments, const std::vector<Result>& results) {
  if (arguments.json.empty()) return true;
  std::ofstream file(arguments.json);
  file << ResultsJson(arguments, results);
  if (file.flush()) return true;
  absl::FPrintF(stderr, "catchup: cannot write %s\n", arguments.json);
  return false;
}

// False: it has failed. What has been measured before stays in the file.
bool Measure(const Workload& workload, const Arguments& arguments,
             std::vector<Result>& results) {
  const absl::StatusOr<Result> result = Compare(workload, arguments);
  if (!result.ok()) {
    absl::FPrintF(stderr, "catchup: %s: %s\n", workload.name,
                  std::string(result.status().message()));
    return false;
  }
  PrintTableLine(*result, arguments.round_trip);
  results.push_back(*result);
  return WriteJson(arguments, results);
}

int Main(int argc, char** argv) {
  const absl::StatusOr<Arguments> arguments = ParseArguments(argc, argv);
  if (!arguments.ok()) {
    absl::FPrintF(stderr, "catchup: %s\n%s",
                  std::string(arguments.status().message()), Usage());
    return 2;
  }
  PrintTableHeader(arguments->round_trip);
  std::vector<Result> results;
  bool all_measured = true;
  for (const Workload& workload : Workloads(arguments->scale)) {
    if (!Wanted(workload, *arguments)) continue;
    for (int run = 0; run < arguments->repeat; ++run) {
      all_measured &= Measure(workload, *arguments, results);
    }
  }
  return all_measured ? 0 : 1;
}

}  // namespace
}  // namespace walferry

int main(int argc, char** argv) { return walferry::Main(argc, argv); }
