// catchup: how long until a target has caught up with a backlog? Measured for
// the floor (a client that drops everything), for CREATE SUBSCRIPTION and for
// walferry, in one run on servers of its own. docs/performance.md has its
// table.
//
//   catchup [--workloads tpcb,insert] [--scale 1] [--repeat 3] [--json FILE]
//
// WALFERRY_TEST_SERVERS names the server's folder, as for the tests.

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "bench/catchup/drain.h"
#include "bench/catchup/workload.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(30);

struct Arguments {
  std::vector<std::string> workloads;  // Empty: all.
  double scale = 1;
  int repeat = 1;
  std::string json;
};

struct Result {
  std::string workload;
  DrainResult floor;
  absl::Duration native;
  absl::Duration walferry;
  absl::Duration walferry_cpu;
  int64_t walferry_peak_kib = 0;
};

// One workload on a fresh pair of servers.
class Comparison {
 public:
  explicit Comparison(const Workload& workload) : workload_(workload) {}

  absl::StatusOr<Result> Run();

 private:
  absl::Status Prepare();
  absl::Status Load();
  absl::Status Settle();
  absl::StatusOr<absl::Duration> RunNative();
  absl::Status RunWalferry(Result& result);
  absl::Status CheckEqual(const std::string& database);

  const Workload& workload_;
  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  Lsn end_;
};

absl::Status Comparison::Prepare() {
  const PgServerOptions options{.settings = {{"fsync", "on"},
                                             {"max_wal_size", "16GB"},
                                             {"shared_buffers", "1GB"},
                                             {"checkpoint_timeout", "1h"},
                                             {"autovacuum", "off"},
                                             {"max_connections", "50"}}};
  ASSIGN_OR_RETURN(source_, PgServer::Start(options));
  ASSIGN_OR_RETURN(target_, PgServer::Start(options));
  RETURN_IF_ERROR(source_->Exec("CREATE DATABASE app"));
  RETURN_IF_ERROR(source_->Exec(workload_.schema, "app"));
  RETURN_IF_ERROR(
      source_->Exec("CREATE PUBLICATION pub FOR ALL TABLES", "app"));
  for (const char* database : {"native", "walferry"}) {
    RETURN_IF_ERROR(target_->Exec(absl::StrCat("CREATE DATABASE ", database)));
    RETURN_IF_ERROR(target_->Exec(workload_.schema, database));
  }
  for (const char* slot : {"floor", "native", "walferry"}) {
    RETURN_IF_ERROR(source_->Exec(
        absl::StrCat("SELECT pg_create_logical_replication_slot('", slot,
                     "', 'pgoutput')"),
        "app"));
  }
  return target_->Exec(
      absl::StrCat("CREATE SUBSCRIPTION native CONNECTION '",
                   source_->ConnInfo("app"),
                   "' PUBLICATION pub WITH (enabled = false, create_slot = "
                   "false, slot_name = native, copy_data = false, streaming = "
                   "on)"),
      "native");
}

absl::Status Comparison::Load() {
  if (!workload_.sql.empty()) return source_->Exec(workload_.sql, "app");
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  const std::string script = directory.path() + "/script.sql";
  std::ofstream(script) << workload_.pgbench_script;
  ASSIGN_OR_RETURN(
      const CommandResult pgbench,
      RunCommand({.command = {TestServerBinDirs().front() + "/pgbench",
                              "--no-vacuum", "--client=4", "--file=" + script,
                              absl::StrCat("--transactions=",
                                           workload_.pgbench_transactions),
                              source_->ConnInfo("app")}},
                 kPatience));
  if (pgbench.exit_code == 0) return absl::OkStatus();
  return absl::UnknownError(absl::StrCat("pgbench: ", pgbench.output));
}

// Nothing of the load's own aftermath may run on the clock.
absl::Status Comparison::Settle() {
  RETURN_IF_ERROR(source_->Exec("VACUUM ANALYZE", "app"));
  RETURN_IF_ERROR(source_->Exec("CHECKPOINT"));
  for (const char* database : {"native", "walferry"}) {
    RETURN_IF_ERROR(target_->Exec("VACUUM ANALYZE", database));
  }
  return target_->Exec("CHECKPOINT");
}

absl::StatusOr<absl::Duration> Comparison::RunNative() {
  RETURN_IF_ERROR(Settle());
  ASSIGN_OR_RETURN(SqlConnection watch,
                   SqlConnection::Open(source_->ConnInfo("app")));
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(target_->Exec("ALTER SUBSCRIPTION native ENABLE", "native"));
  const std::string confirmed =
      absl::StrCat("SELECT confirmed_flush_lsn >= '", end_.ToString(),
                   "' FROM pg_replication_slots WHERE slot_name = 'native'");
  const bool done =
      WaitUntil([&] { return watch.QueryValue(confirmed).value_or("") == "t"; },
                kPatience);
  const absl::Duration elapsed = absl::Now() - begin;
  if (!done) return absl::DeadlineExceededError("native: not caught up");
  RETURN_IF_ERROR(target_->Exec("ALTER SUBSCRIPTION native DISABLE", "native"));
  RETURN_IF_ERROR(CheckEqual("native"));
  return elapsed;
}

// The most memory that a running process has had.
int64_t PeakKib(pid_t pid) {
  std::ifstream status(absl::StrCat("/proc/", pid, "/status"));
  std::string line;
  while (std::getline(status, line)) {
    int64_t kib = 0;
    if (std::sscanf(line.c_str(), "VmHWM: %ld kB", &kib) == 1) return kib;
  }
  return 0;  // It has just ended.
}

absl::Status Comparison::RunWalferry(Result& result) {
  RETURN_IF_ERROR(Settle());
  rusage before{};
  getrusage(RUSAGE_CHILDREN, &before);
  const absl::Time begin = absl::Now();
  ASSIGN_OR_RETURN(
      ChildProcess walferry,
      ChildProcess::Start({.command = {WALFERRY_BINARY, "follow", "--source",
                                       source_->ConnInfo("app"), "--target",
                                       target_->ConnInfo("walferry"), "--slot",
                                       "walferry", "--publication", "pub",
                                       "--until-lsn", end_.ToString()}}));
  const bool ended = WaitUntil(
      [&] {
        result.walferry_peak_kib =
            std::max(result.walferry_peak_kib, PeakKib(walferry.pid()));
        return walferry.Poll().has_value();
      },
      kPatience);
  result.walferry = absl::Now() - begin;
  rusage after{};
  getrusage(RUSAGE_CHILDREN, &after);
  const auto cpu = [](const rusage& usage) {
    return absl::DurationFromTimeval(usage.ru_utime) +
           absl::DurationFromTimeval(usage.ru_stime);
  };
  result.walferry_cpu = cpu(after) - cpu(before);
  if (!ended || *walferry.Poll() != 0) {
    return absl::UnknownError("walferry has failed: see its output above");
  }
  return CheckEqual("walferry");
}

absl::Status Comparison::CheckEqual(const std::string& database) {
  const testing::AssertionResult equal =
      DatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo(database));
  if (equal) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(database, " is not equal: ", equal.message()));
}

absl::StatusOr<Result> Comparison::Run() {
  RETURN_IF_ERROR(Prepare());
  RETURN_IF_ERROR(Load());
  ASSIGN_OR_RETURN(const std::string end,
                   source_->QueryValue("SELECT pg_current_wal_insert_lsn()"));
  ASSIGN_OR_RETURN(end_, Lsn::Parse(end));
  RETURN_IF_ERROR(Settle());
  Result result{.workload = workload_.name};
  ASSIGN_OR_RETURN(result.floor,
                   Drain(source_->ConnInfo("app"), "floor", "pub", end_));
  RETURN_IF_ERROR(RunWalferry(result));
  ASSIGN_OR_RETURN(result.native, RunNative());
  return result;
}

void PrintHeader() {
  absl::PrintF("%-8s %9s %10s %10s %12s %14s %9s %9s\n", "workload", "floor s",
               "native s", "walferry s", "native/floor", "walferry/floor",
               "cpu s", "peak MiB");
}

void Print(const Result& result) {
  const double floor = absl::ToDoubleSeconds(result.floor.elapsed);
  const double native = absl::ToDoubleSeconds(result.native);
  const double walferry = absl::ToDoubleSeconds(result.walferry);
  absl::PrintF("%-8s %9.2f %10.2f %10.2f %12.2f %14.2f %9.2f %9.1f\n",
               result.workload, floor, native, walferry, native / floor,
               walferry / floor, absl::ToDoubleSeconds(result.walferry_cpu),
               static_cast<double>(result.walferry_peak_kib) / 1024);
  std::fflush(stdout);
}

nlohmann::ordered_json ToJson(const Result& result) {
  return {{"workload", result.workload},
          {"floor_seconds", absl::ToDoubleSeconds(result.floor.elapsed)},
          {"floor_frames", result.floor.frames},
          {"floor_bytes", result.floor.bytes},
          {"native_seconds", absl::ToDoubleSeconds(result.native)},
          {"walferry_seconds", absl::ToDoubleSeconds(result.walferry)},
          {"walferry_cpu_seconds", absl::ToDoubleSeconds(result.walferry_cpu)},
          {"walferry_peak_kib", result.walferry_peak_kib}};
}

// False: the arguments are wrong.
bool Parse(int argc, char** argv, Arguments& arguments) {
  for (int i = 1; i < argc; i += 2) {
    const absl::string_view name = argv[i];
    if (i + 1 == argc) return false;
    const absl::string_view value = argv[i + 1];
    if (name == "--workloads") {
      arguments.workloads = absl::StrSplit(value, ',');
    } else if (name == "--json") {
      arguments.json = std::string(value);
    } else if (name == "--scale") {
      if (!absl::SimpleAtod(value, &arguments.scale)) return false;
    } else if (name == "--repeat") {
      if (!absl::SimpleAtoi(value, &arguments.repeat)) return false;
    } else {
      return false;
    }
  }
  return arguments.scale > 0 && arguments.repeat > 0;
}

int Main(int argc, char** argv) {
  Arguments arguments;
  if (!Parse(argc, argv, arguments)) {
    absl::FPrintF(stderr,
                  "usage: catchup [--workloads NAME,...] [--scale N] [--repeat "
                  "N] [--json FILE]\n");
    return 2;
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  PrintHeader();
  for (const Workload& workload : Workloads(arguments.scale)) {
    const auto& wanted = arguments.workloads;
    if (!wanted.empty() && std::find(wanted.begin(), wanted.end(),
                                     workload.name) == wanted.end()) {
      continue;
    }
    for (int run = 0; run < arguments.repeat; ++run) {
      Comparison comparison(workload);
      const absl::StatusOr<Result> result = comparison.Run();
      if (!result.ok()) {
        absl::FPrintF(stderr, "catchup: %s: %s\n", workload.name,
                      std::string(result.status().message()));
        return 1;
      }
      Print(*result);
      json.push_back(ToJson(*result));
    }
  }
  if (!arguments.json.empty()) {
    std::ofstream(arguments.json) << json.dump(2) << "\n";
  }
  return 0;
}

}  // namespace
}  // namespace walferry

int main(int argc, char** argv) { return walferry::Main(argc, argv); }
