#include "bench/copy/dump_run.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "bench/copy/command_queue.h"
#include "bench/copy/stopwatch.h"
#include "protocol/status.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

// zstd came with 16; before that there is gzip, told by its level alone.
Command DumpOptions(const PgTools& tools) {
  return {"-Fd", "-j2", tools.major >= 16 ? "--compress=zstd:1" : "-Z1"};
}

}  // namespace

std::string DumpOptionsText(const PgTools& tools) {
  return absl::StrCat("pg_dump ", tools.version, " ",
                      absl::StrJoin(DumpOptions(tools), " "));
}

absl::StatusOr<CopyRun> RunDump(const CopyServers& servers,
                                const std::string& name) {
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  const std::string archive = directory.path() + "/archive";
  Command dump = {servers.tools().pg_dump,
                  absl::StrCat("--dbname=", servers.source_conninfo()),
                  absl::StrCat("--file=", archive)};
  for (const std::string& option : DumpOptions(servers.tools())) {
    dump.push_back(option);
  }
  RETURN_IF_ERROR(servers.CreateTarget(name));
  Stopwatch watch(servers);
  RETURN_IF_ERROR(RunCommands({dump}, /*jobs=*/1));
  watch.Part("dump");
  RETURN_IF_ERROR(RunCommands(
      {{servers.tools().pg_restore, "-j2", "--exit-on-error",
        absl::StrCat("--dbname=", servers.target().ConnInfo(name)), archive}},
      /*jobs=*/1));
  watch.Part("restore");
  const CopyRun run = watch.Stop();
  RETURN_IF_ERROR(servers.CheckAndDrop(name));
  return run;
}

}  // namespace walferry
