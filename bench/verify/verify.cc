// verify: how long does it take to prove that two databases hold the same?
// Measured for `walferry verify` and for plain queries that sum a hash of each
// row, in turns, on servers of its own. docs/performance.md has its table, and
// says how to read it.
//
// WALFERRY_TEST_SERVERS names the server's folder, as for the tests.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "bench/copy/command_queue.h"
#include "bench/process_usage.h"
#include "bench/verify/arguments.h"
#include "bench/verify/equal_servers.h"
#include "bench/verify/query_run.h"
#include "protocol/status.h"
#include "tests/testing/built_paths.h"

namespace walferry {
namespace {

struct VerifyRun {
  absl::Duration elapsed;
  absl::Duration client_cpu;  // Zero: it is not told from our own.
  absl::Duration server_cpu;  // Of both.
  int64_t peak_kib = 0;
};

absl::Duration ServerCpu(const EqualServers& servers) {
  return CpuTimeOfServer(servers.source().postmaster_pid()) +
         CpuTimeOfServer(servers.target().postmaster_pid());
}

// Its exit code says whether both are equal.
absl::StatusOr<VerifyRun> TimeWalferry(const EqualServers& servers,
                                       const VerifyArguments& arguments) {
  Command verify = {WalferryBinary(), "verify",
                    "--source",       servers.source().ConnInfo("app"),
                    "--target",       servers.target().ConnInfo("app"),
                    "--jobs",         absl::StrCat(arguments.jobs)};
  verify.insert(verify.end(), arguments.walferry_args.begin(),
                arguments.walferry_args.end());
  VerifyRun run;
  const absl::Duration client = CpuTimeOfChildren();
  const absl::Duration server = ServerCpu(servers);
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(RunCommands({verify}, /*jobs=*/1, &run.peak_kib));
  run.elapsed = absl::Now() - begin;
  run.client_cpu = CpuTimeOfChildren() - client;
  run.server_cpu = ServerCpu(servers) - server;
  return run;
}

absl::StatusOr<VerifyRun> TimeQueries(const EqualServers& servers, int jobs) {
  VerifyRun run;
  const absl::Duration server = ServerCpu(servers);
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(RunQueries(servers, jobs));
  run.elapsed = absl::Now() - begin;
  run.server_cpu = ServerCpu(servers) - server;
  return run;
}

void PrintLine(const char* name, const VerifyRun& run, int64_t bytes,
               const VerifyRun& other) {
  const double seconds = absl::ToDoubleSeconds(run.elapsed);
  absl::PrintF("%-9s %7.2f %7.2f %7.2f  %7.2f %7.2f  %6s\n", name, seconds,
               absl::FDivDuration(run.elapsed, other.elapsed),
               static_cast<double>(bytes) / 1e9 / seconds,
               absl::ToDoubleSeconds(run.client_cpu),
               absl::ToDoubleSeconds(run.server_cpu),
               run.peak_kib > 0 ? absl::StrCat(run.peak_kib / 1024) : "-");
}

absl::Status Measure(const VerifyArguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<EqualServers> servers,
                   EqualServers::Start(arguments.scale));
  ASSIGN_OR_RETURN(const int64_t bytes, servers->Bytes());
  ASSIGN_OR_RETURN(const std::string version,
                   servers->source().QueryValue("SHOW server_version"));
  absl::PrintF("PostgreSQL %s, %.2f GB in tables of each side, %d jobs\n",
               version, static_cast<double>(bytes) / 1e9, arguments.jobs);
  absl::PrintF("%-9s %7s %7s %7s  %7s %7s  %6s\n", "", "", "", "GB/s", "CPU s",
               "CPU s", "peak");
  absl::PrintF("%-9s %7s %7s %7s  %7s %7s  %6s\n", "", "s", "/query", "of each",
               "client", "servers", "MiB");
  for (int i = 0; i < arguments.repeat; ++i) {
    ASSIGN_OR_RETURN(const VerifyRun queries,
                     TimeQueries(*servers, arguments.jobs));
    ASSIGN_OR_RETURN(const VerifyRun walferry,
                     TimeWalferry(*servers, arguments));
    PrintLine("query", queries, bytes, queries);
    PrintLine("walferry", walferry, bytes, queries);
    std::fflush(stdout);
  }
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  const absl::StatusOr<VerifyArguments> arguments =
      ParseVerifyArguments(argc, argv);
  if (!arguments.ok()) {
    absl::FPrintF(stderr, "verify: %s\n%s",
                  std::string(arguments.status().message()), VerifyUsage());
    return 2;
  }
  if (const absl::Status measured = Measure(*arguments); !measured.ok()) {
    absl::FPrintF(stderr, "verify: %s\n", std::string(measured.message()));
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace walferry

int main(int argc, char** argv) { return walferry::Main(argc, argv); }
