#include "bench/copy/walferry_run.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "bench/copy/command_queue.h"
#include "bench/copy/stopwatch.h"
#include "protocol/status.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

// Of the file that --events has written: one JSON object per line.
std::vector<CopyPart> FinishedPhases(const std::string& events) {
  std::vector<CopyPart> parts;
  std::ifstream lines(events);
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json event = nlohmann::json::parse(line);
    if (event["event"] != "phase_finished") continue;
    parts.push_back(
        {.name = event["phase"],
         .elapsed = absl::Seconds(event["duration_seconds"].get<double>())});
  }
  return parts;
}

}  // namespace

absl::StatusOr<CopyRun> RunWalferry(const CopyServers& servers,
                                    const std::string& name,
                                    const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  const std::string events = directory.path() + "/events";
  Command migrate = {WalferryBinary(), "migrate",
                     "--source",       servers.source_conninfo(),
                     "--target",       servers.target().ConnInfo(name),
                     "--name",         name,
                     "--events",       events};
  migrate.insert(migrate.end(), arguments.begin(), arguments.end());
  RETURN_IF_ERROR(servers.CreateTarget(name));
  int64_t peak_kib = 0;
  Stopwatch watch(servers);
  RETURN_IF_ERROR(RunCommands({migrate}, /*jobs=*/1, &peak_kib));
  CopyRun run = watch.Stop();
  run.client_peak_kib = peak_kib;
  run.parts = FinishedPhases(events);
  RETURN_IF_ERROR(servers.CheckAndDrop(name));
  return run;
}

}  // namespace walferry
