#include "bench/catchup/result_json.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "absl/time/time.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

std::string StreamingName(Streaming streaming) {
  switch (streaming) {
    case Streaming::kOff:
      return "off";
    case Streaming::kOn:
      return "on";
    case Streaming::kParallel:
      return "parallel";
  }
  return "";
}

Json FloorJson(const DrainResult& floor) {
  return {{"seconds", absl::ToDoubleSeconds(floor.elapsed)},
          {"walsender_cpu_seconds", absl::ToDoubleSeconds(floor.walsender_cpu)},
          {"frames", floor.frames},
          {"bytes", floor.bytes}};
}

Json CatchUpJson(const CatchUp& run, const DrainResult& floor) {
  return {{"seconds", absl::ToDoubleSeconds(run.elapsed)},
          {"times_floor", absl::FDivDuration(run.elapsed, floor.elapsed)},
          {"walsender_cpu_seconds", absl::ToDoubleSeconds(run.walsender_cpu)},
          {"target_cpu_seconds", absl::ToDoubleSeconds(run.target_cpu)}};
}

Json WalferryJson(const CatchUp& run, const DrainResult& floor) {
  Json json = CatchUpJson(run, floor);
  json["cpu_seconds"] = absl::ToDoubleSeconds(run.client_cpu);
  json["peak_kib"] = run.client_peak_kib;
  return json;
}

Json ResultJson(const Result& result) {
  const DrainResult& floor = result.floor;
  Json json = {{"workload", result.workload},
               {"what", result.what},
               {"floor", FloorJson(floor)}};
  if (result.native.has_value()) {
    json["native"] = CatchUpJson(*result.native, floor);
  }
  if (result.walferry.has_value()) {
    json["walferry"] = WalferryJson(*result.walferry, floor);
  }
  if (result.proxied.has_value()) {
    json["walferry_proxied"] = WalferryJson(*result.proxied, floor);
  }
  if (result.delayed.has_value()) {
    json["walferry_delayed"] = WalferryJson(*result.delayed, floor);
    json["loss_percent"] = *LossPercent(result);
  }
  return json;
}

}  // namespace

std::string ResultsJson(const Arguments& arguments,
                        const std::vector<Result>& results) {
  Json json = {
      {"server_version", results.front().server_version},
      {"walferry_version", WALFERRY_VERSION},
      {"cores", std::thread::hardware_concurrency()},
      {"scale", arguments.scale},
      {"stream",
       {{"protocol_version", arguments.stream.protocol_version},
        {"streaming", StreamingName(arguments.stream.streaming)},
        {"binary", arguments.stream.binary}}},
      {"walferry_args", arguments.walferry_args},
      {"round_trip_seconds", absl::ToDoubleSeconds(arguments.round_trip)},
      {"target_indexes", arguments.target_indexes},
      {"results", Json::array()}};
  for (const Result& result : results) {
    json["results"].push_back(ResultJson(result));
  }
  return json.dump(2) + "\n";
}

}  // namespace walferry
