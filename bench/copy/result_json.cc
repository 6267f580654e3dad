#include "bench/copy/result_json.h"

#include <nlohmann/json.hpp>
#include <thread>

#include "absl/time/time.h"

namespace walferry {
namespace {

using Json = nlohmann::ordered_json;

Json RunJson(const CopyRun& run) {
  Json json = {{"seconds", absl::ToDoubleSeconds(run.elapsed)},
               {"parts", Json::array()},
               {"client_cpu_seconds", absl::ToDoubleSeconds(run.client_cpu)},
               {"source_cpu_seconds", absl::ToDoubleSeconds(run.source_cpu)},
               {"target_cpu_seconds", absl::ToDoubleSeconds(run.target_cpu)}};
  for (const CopyPart& part : run.parts) {
    json["parts"].push_back({{"name", part.name},
                             {"seconds", absl::ToDoubleSeconds(part.elapsed)}});
  }
  if (run.client_peak_kib.has_value()) json["peak_kib"] = *run.client_peak_kib;
  return json;
}

Json ResultJson(const CopyResult& result) {
  Json json = Json::object();
  if (result.dump.has_value()) json["dump"] = RunJson(*result.dump);
  if (result.floor.has_value()) json["floor"] = RunJson(*result.floor);
  if (!result.walferry.has_value()) return json;
  json["walferry"] = RunJson(*result.walferry);
  const absl::Duration elapsed = result.walferry->elapsed;
  if (result.floor.has_value()) {
    json["walferry"]["times_floor"] =
        absl::FDivDuration(elapsed, result.floor->elapsed);
  }
  if (result.dump.has_value()) {
    json["walferry"]["dump_times_this"] =
        absl::FDivDuration(result.dump->elapsed, elapsed);
  }
  return json;
}

}  // namespace

std::string CopyResultsJson(const CopyArguments& arguments,
                            const CopySetting& setting,
                            const std::vector<CopyResult>& results) {
  Json json = {{"server_version", setting.server_version},
               {"walferry_version", WALFERRY_VERSION},
               {"cores", std::thread::hardware_concurrency()},
               {"scale", arguments.scale},
               {"database_bytes", setting.database_bytes},
               {"dump_command", setting.dump_command},
               {"walferry_args", arguments.walferry_args},
               {"results", Json::array()}};
  for (const CopyResult& result : results) {
    json["results"].push_back(ResultJson(result));
  }
  return json.dump(2) + "\n";
}

}  // namespace walferry
