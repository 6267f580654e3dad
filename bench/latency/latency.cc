// latency: how long from the commit on the source until the row is visible on
// the target, while a steady load is replicated? One run on servers of its own.
// docs/performance.md says how to read the figures.
//
// WALFERRY_TEST_SERVERS names the server's folder, as for the tests.

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "bench/latency/arguments.h"
#include "bench/latency/latency_run.h"
#include "bench/latency/quantile.h"

namespace walferry {
namespace {

double Ms(absl::Duration duration) {
  return absl::ToDoubleMilliseconds(duration);
}

const char* Name(const LatencyArguments& arguments) {
  return arguments.native ? "native" : "walferry";
}

double RowsPerSecond(const LatencyResult& result) {
  return static_cast<double>(result.latencies.size()) /
         absl::ToDoubleSeconds(result.writing);
}

void Print(const LatencyArguments& arguments, const LatencyResult& result) {
  const auto& latencies = result.latencies;
  absl::PrintF("%s, PostgreSQL %s: %d rows, %.0f/s\n", Name(arguments),
               result.server_version, latencies.size(), RowsPerSecond(result));
  absl::PrintF(
      "commit on the source to visible on the target, ms: p50 %.1f, p90 %.1f, "
      "p99 %.1f, max %.1f\n",
      Ms(Quantile(latencies, 0.5)), Ms(Quantile(latencies, 0.9)),
      Ms(Quantile(latencies, 0.99)), Ms(Quantile(latencies, 1)));
  absl::PrintF(
      "polling makes these too long, never too short: by at most %.1f ms for "
      "half of the rows' polls, %.1f ms for 99 %%, %.1f ms for all\n",
      Ms(Quantile(result.errors, 0.5)), Ms(Quantile(result.errors, 0.99)),
      Ms(Quantile(result.errors, 1)));
}

std::string ToJson(const LatencyArguments& arguments,
                   const LatencyResult& result) {
  const auto quantiles = [](const std::vector<absl::Duration>& sorted) {
    return nlohmann::ordered_json{{"p50", Ms(Quantile(sorted, 0.5))},
                                  {"p90", Ms(Quantile(sorted, 0.9))},
                                  {"p99", Ms(Quantile(sorted, 0.99))},
                                  {"max", Ms(Quantile(sorted, 1))}};
  };
  const nlohmann::ordered_json json = {
      {"of", Name(arguments)},
      {"server_version", result.server_version},
      {"walferry_version", WALFERRY_VERSION},
      {"walferry_args", arguments.walferry_args},
      {"seconds", arguments.seconds},
      {"rows", result.latencies.size()},
      {"rows_per_second", RowsPerSecond(result)},
      {"latency_ms", quantiles(result.latencies)},
      {"polling_error_ms", quantiles(result.errors)}};
  return json.dump(2) + "\n";
}

int Main(int argc, char** argv) {
  const absl::StatusOr<LatencyArguments> arguments =
      ParseLatencyArguments(argc, argv);
  if (!arguments.ok()) {
    absl::FPrintF(stderr, "latency: %s\n%s",
                  std::string(arguments.status().message()), LatencyUsage());
    return 2;
  }
  const absl::StatusOr<LatencyResult> result = MeasureLatency(*arguments);
  if (!result.ok()) {
    absl::FPrintF(stderr, "latency: %s\n",
                  std::string(result.status().message()));
    return 1;
  }
  Print(*arguments, *result);
  if (arguments->json.empty()) return 0;
  std::ofstream file(arguments->json);
  file << ToJson(*arguments, *result);
  if (file.flush()) return 0;
  absl::FPrintF(stderr, "latency: cannot write %s\n", arguments->json);
  return 1;
}

}  // namespace
}  // namespace walferry

int main(int argc, char** argv) { return walferry::Main(argc, argv); }
