#include "bench/catchup/comparison.h"

#include <memory>
#include <string>
#include <vector>

#include "bench/catchup/native_run.h"
#include "bench/catchup/server_pair.h"
#include "bench/catchup/walferry_run.h"
#include "protocol/status.h"
#include "tests/testing/faulty_link.h"

namespace walferry {
namespace {

absl::StatusOr<CatchUp> RunWalferryVia(const ServerPair& servers,
                                       const std::string& name,
                                       absl::Duration round_trip,
                                       const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::unique_ptr<FaultyLink> link,
                   FaultyLink::Start(servers.target().port()));
  link->SetDelay(LinkDirection::kToServer, round_trip / 2);
  link->SetDelay(LinkDirection::kToClient, round_trip / 2);
  return RunWalferry(servers, {.name = name,
                               .target_conninfo = servers.target().ConnInfoVia(
                                   link->port(), name),
                               .arguments = arguments.walferry_args});
}

}  // namespace

absl::StatusOr<Result> Compare(const Workload& workload,
                               const Arguments& arguments) {
  const bool with_round_trips = arguments.round_trip > absl::ZeroDuration();
  std::vector<std::string> databases;
  if (arguments.native) databases.push_back("native");
  if (arguments.walferry) databases.push_back("walferry");
  if (with_round_trips) {
    databases.insert(databases.end(), {"proxied", "delayed"});
  }
  std::vector<std::string> slots = databases;
  slots.push_back("floor");
  ASSIGN_OR_RETURN(
      const auto servers,
      ServerPair::Start(workload, slots, databases, arguments.target_indexes));
  RETURN_IF_ERROR(servers->Settle());
  Result result{.workload = workload.name, .what = workload.what};
  ASSIGN_OR_RETURN(result.server_version,
                   servers->source().QueryValue("SHOW server_version"));
  ASSIGN_OR_RETURN(result.floor, Drain({.conninfo = servers->source_conninfo(),
                                        .slot = "floor",
                                        .publication = "pub",
                                        .end = servers->end(),
                                        .stream = arguments.stream}));
  if (arguments.walferry) {
    ASSIGN_OR_RETURN(
        result.walferry,
        RunWalferry(*servers,
                    {.name = "walferry",
                     .target_conninfo = servers->target().ConnInfo("walferry"),
                     .arguments = arguments.walferry_args}));
  }
  if (with_round_trips) {
    ASSIGN_OR_RETURN(
        result.proxied,
        RunWalferryVia(*servers, "proxied", absl::ZeroDuration(), arguments));
    ASSIGN_OR_RETURN(
        result.delayed,
        RunWalferryVia(*servers, "delayed", arguments.round_trip, arguments));
  }
  if (arguments.native) {
    ASSIGN_OR_RETURN(result.native, RunNative(*servers, arguments.stream));
  }
  return result;
}

}  // namespace walferry
