#include "bench/copy/floor_run.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "bench/copy/command_queue.h"
#include "bench/copy/stopwatch.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<CopyRun> RunFloor(const CopyServers& servers,
                                 const std::string& name) {
  RETURN_IF_ERROR(servers.CreateTarget(name));
  const std::string target = servers.target().ConnInfo(name);
  std::vector<Command> copies;
  std::vector<Command> indexes;
  for (const SampleTable& table : servers.tables()) {
    RETURN_IF_ERROR(servers.target().Exec(table.create, name));
    copies.push_back(Pipeline(
        servers.Psql(servers.source_conninfo(),
                     absl::StrCat("COPY ", table.name, " TO STDOUT")),
        servers.Psql(target,
                     absl::StrCat("COPY ", table.name, " FROM STDIN"))));
    for (const SampleIndex& index : table.indexes) {
      indexes.push_back(servers.Psql(target, CreateIndexSql(table, index)));
    }
  }
  Stopwatch watch(servers);
  RETURN_IF_ERROR(RunCommands(copies, /*jobs=*/2));
  watch.Part("copy");
  RETURN_IF_ERROR(RunCommands(indexes, /*jobs=*/2));
  RETURN_IF_ERROR(servers.target().Exec(MakeKeysSql(servers.tables()), name));
  watch.Part("indexes");
  const CopyRun run = watch.Stop();
  RETURN_IF_ERROR(servers.CheckAndDrop(name));
  return run;
}

}  // namespace walferry
