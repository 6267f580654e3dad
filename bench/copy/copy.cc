// copy: how long does it take to copy a database? Measured for pg_dump and
// pg_restore, for the floor (pairs of psql with COPY | COPY, then the indexes)
// and for walferry, in one run on servers of its own. docs/performance.md has
// its table, and says how to read it.
//
// WALFERRY_TEST_SERVERS names the server's folder, as for the tests.

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "bench/copy/arguments.h"
#include "bench/copy/copy_servers.h"
#include "bench/copy/dump_run.h"
#include "bench/copy/floor_run.h"
#include "bench/copy/result.h"
#include "bench/copy/result_json.h"
#include "bench/copy/result_table.h"
#include "bench/copy/walferry_run.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Runs everybody once. Whoever's database is not equal to the source's has
// failed.
absl::StatusOr<CopyResult> Compare(const CopyServers& servers,
                                   const CopyArguments& arguments) {
  CopyResult result;
  if (arguments.dump) {
    const absl::StatusOr<CopyRun> run = RunDump(servers, "dump");
    if (!run.ok()) return Annotate(run.status(), "dump");
    result.dump = *run;
  }
  if (arguments.floor) {
    const absl::StatusOr<CopyRun> run = RunFloor(servers, "floor");
    if (!run.ok()) return Annotate(run.status(), "floor");
    result.floor = *run;
  }
  if (arguments.walferry) {
    const absl::StatusOr<CopyRun> run =
        RunWalferry(servers, "walferry", arguments.walferry_args);
    if (!run.ok()) return Annotate(run.status(), "walferry");
    result.walferry = *run;
  }
  return result;
}

absl::Status WriteJson(const CopyArguments& arguments,
                       const CopySetting& setting,
                       const std::vector<CopyResult>& results) {
  if (arguments.json.empty()) return absl::OkStatus();
  std::ofstream file(arguments.json);
  file << CopyResultsJson(arguments, setting, results);
  if (file.flush()) return absl::OkStatus();
  return absl::UnknownError("cannot write " + arguments.json);
}

absl::Status Measure(const CopyArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<CopyServers> servers,
                   CopyServers::Start(arguments.scale));
  ASSIGN_OR_RETURN(const CopySetting setting, servers->Setting());
  PrintCopyHeader(setting);
  std::vector<CopyResult> results;
  while (results.size() < static_cast<size_t>(arguments.repeat)) {
    ASSIGN_OR_RETURN(const CopyResult result, Compare(*servers, arguments));
    PrintCopyLines(result);
    results.push_back(result);
    RETURN_IF_ERROR(WriteJson(arguments, setting, results));
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  const absl::StatusOr<CopyArguments> arguments =
      ParseCopyArguments(argc, argv);
  if (!arguments.ok()) {
    absl::FPrintF(stderr, "copy: %s\n%s",
                  std::string(arguments.status().message()), CopyUsage());
    return 2;
  }
  if (const absl::Status measured = Measure(*arguments); !measured.ok()) {
    absl::FPrintF(stderr, "copy: %s\n", std::string(measured.message()));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace walferry

int main(int argc, char** argv) { return walferry::Main(argc, argv); }
