#include "bench/catchup/native_run.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "bench/backend_cpu.h"
#include "protocol/status.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// The fastest that the server offers: workers that apply a transaction while
// it is still being received came with PostgreSQL 16.
absl::string_view StreamingValue(const ServerPair& servers,
                                 const StreamOptions& stream) {
  if (stream.streaming == Streaming::kOff) return "off";
  return servers.source().major_version() >= 16 ? "parallel" : "on";
}

absl::Status CreateSubscription(const ServerPair& servers,
                                const StreamOptions& stream) {
  return servers.target().Exec(
      absl::StrCat("CREATE SUBSCRIPTION native CONNECTION '",
                   servers.source_conninfo(),
                   "' PUBLICATION pub WITH (enabled = false, create_slot = "
                   "false, slot_name = native, copy_data = false, streaming = ",
                   StreamingValue(servers, stream),
                   ", binary = ", stream.binary ? "true" : "false", ")"),
      "native");
}

}  // namespace

absl::StatusOr<CatchUp> RunNative(const ServerPair& servers,
                                  const StreamOptions& stream) {
  RETURN_IF_ERROR(CreateSubscription(servers, stream));
  RETURN_IF_ERROR(servers.Settle());
  ASSIGN_OR_RETURN(SqlConnection watch,
                   SqlConnection::Open(servers.source_conninfo()));
  ASSIGN_OR_RETURN(BackendCpu walsender,
                   BackendCpu::Watch(servers.source(), WalsenderOf("native")));
  ASSIGN_OR_RETURN(
      BackendCpu workers,
      BackendCpu::Watch(servers.target(), ApplyWorkersIn("native")));
  const std::string confirmed =
      absl::StrCat("SELECT confirmed_flush_lsn >= '", servers.end().ToString(),
                   "' FROM pg_replication_slots WHERE slot_name = 'native'");
  absl::Status looked;
  const absl::Time begin = absl::Now();
  RETURN_IF_ERROR(
      servers.target().Exec("ALTER SUBSCRIPTION native ENABLE", "native"));
  const bool ended = WaitUntil(
      [&] {
        looked.Update(walsender.Look());
        looked.Update(workers.Look());
        return !looked.ok() || watch.QueryValue(confirmed).value_or("") == "t";
      },
      kRunPatience);
  CatchUp result{.elapsed = absl::Now() - begin,
                 .walsender_cpu = walsender.total(),
                 .target_cpu = workers.total()};
  RETURN_IF_ERROR(looked);
  if (!ended) return absl::DeadlineExceededError("native: not caught up");
  RETURN_IF_ERROR(
      servers.target().Exec("ALTER SUBSCRIPTION native DISABLE", "native"));
  RETURN_IF_ERROR(servers.CheckEqual("native"));
  return result;
}

}  // namespace walferry
