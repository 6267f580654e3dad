#ifndef ENGINE_SERVER_DATABASE_POOL_H_
#define ENGINE_SERVER_DATABASE_POOL_H_

// Works on several databases at once.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "engine/report.h"
#include "engine/server/server_events.h"
#include "engine/server/server_report.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct DatabasePoolOptions {
  int max_parallel = 1;
  // How often the caller's own thread looks after other things.
  absl::Duration tick = absl::Seconds(1);
};

// Calls `work` for each of them, by its place, in their order and at most
// max_parallel at once, from threads of its own; `tick` from the caller's
// thread. One that fails does not stop the others; once `interrupt` is raised
// none is begun. `events`, which is thread-safe, hears each database's end once
// `work` has returned; what `work` tells of an end itself is not passed on.
std::vector<DatabaseReport> RunDatabases(
    const std::vector<std::string>& databases,
    const DatabasePoolOptions& options, const Interrupt& interrupt,
    absl::FunctionRef<absl::StatusOr<Report>(size_t place, EventSink& events)>
        work,
    absl::FunctionRef<void(int64_t done)> tick, ServerEventSink& events);

}  // namespace walferry

#endif  // ENGINE_SERVER_DATABASE_POOL_H_
