#include "bench/catchup/walferry_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "bench/backend_cpu.h"
#include "bench/process_usage.h"
#include "protocol/status.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {

absl::StatusOr<CatchUp> RunWalferry(const ServerPair& servers,
                                    const WalferryRun& run) {
  RETURN_IF_ERROR(servers.Settle());
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  ChildOptions options{
      .command = {WalferryBinary(), "follow", "--source",
                  servers.source_conninfo(), "--target", run.target_conninfo,
                  "--slot", run.name, "--publication", "pub", "--until-lsn",
                  servers.end().ToString()},
      .stdout_path = directory.path() + "/output",
      .stderr_path = directory.path() + "/output"};
  options.command.insert(options.command.end(), run.arguments.begin(),
                         run.arguments.end());
  ASSIGN_OR_RETURN(BackendCpu walsender,
                   BackendCpu::Watch(servers.source(), WalsenderOf(run.name)));
  ASSIGN_OR_RETURN(BackendCpu sessions,
                   BackendCpu::Watch(servers.target(), SessionsIn(run.name)));
  CatchUp result;
  absl::Status looked;
  const absl::Duration children_before = CpuTimeOfChildren();
  const absl::Time begin = absl::Now();
  ASSIGN_OR_RETURN(ChildProcess walferry, ChildProcess::Start(options));
  const bool ended = WaitUntil(
      [&] {
        looked.Update(walsender.Look());
        looked.Update(sessions.Look());
        result.client_peak_kib =
            std::max(result.client_peak_kib, PeakKibOf(walferry.pid()));
        return !looked.ok() || walferry.Poll().has_value();
      },
      kRunPatience);
  result.elapsed = absl::Now() - begin;
  RETURN_IF_ERROR(looked);
  if (!ended) {
    return absl::DeadlineExceededError(
        absl::StrCat(run.name, ": not caught up"));
  }
  result.client_cpu = CpuTimeOfChildren() - children_before;
  result.walsender_cpu = walsender.total();
  result.target_cpu = sessions.total();
  if (*walferry.Poll() != 0) {
    return absl::UnknownError(
        absl::StrCat(run.name, ": ", ReadFile(options.stderr_path)));
  }
  RETURN_IF_ERROR(servers.CheckEqual(run.name));
  return result;
}

}  // namespace walferry
