#ifndef ENGINE_SERVER_CARRY_OUT_GLOBALS_H_
#define ENGINE_SERVER_CARRY_OUT_GLOBALS_H_

// The globals' plan, from two servers and onto one of them.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/event.h"
#include "engine/server/globals_plan.h"
#include "engine/server/servers.h"
#include "engine/server/target_rights.h"
#include "protocol/pg_connection.h"

namespace walferry {

absl::StatusOr<GlobalsPlan> ReadGlobalsPlan(PgConnection& source,
                                            PgConnection& target,
                                            const TargetRights& rights,
                                            const GlobalsPlanOptions& options);

// All roles in one transaction, then one tablespace after the other: one that
// cannot be made is skipped with a warning. `events` hears what is done, and
// `report` of the tablespaces. `superuser`: the target's role is one, and keeps
// verifiers out of the server's log.
absl::Status CarryOutGlobals(PgConnection& target, const GlobalsPlan& plan,
                             bool superuser, EventSink& events,
                             GlobalsReport& report);

}  // namespace walferry

#endif  // ENGINE_SERVER_CARRY_OUT_GLOBALS_H_
