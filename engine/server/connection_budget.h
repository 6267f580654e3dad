#ifndef ENGINE_SERVER_CONNECTION_BUDGET_H_
#define ENGINE_SERVER_CONNECTION_BUDGET_H_

// How many connections a move of several databases needs at its peak on either
// side, and whether the servers have them. A run that finds out in the middle
// takes them away from the applications.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What the options say. All at least 1.
struct ServerJobs {
  int max_parallel = 1;        // Databases that are worked on at once, ...
  int dump_parallel = 1;       // ... of them those read from the source, ...
  int restore_parallel = 1;    // ... those written to on the target, ...
  int verify_concurrency = 1;  // ... and those compared.
  int jobs = 4;                // In each: tables or ranges copied, ...
  int index_jobs = 2;          // ... and indexes built at once.
};

// Sessions of the walferry command itself besides the jobs' own. A database
// that is read: its catalog and the snapshot's owner; one that is written to:
// the ledger and the schema; one that is compared: a session on either side;
// one that waits or is finished: a session on the target.
struct PeakConnections {
  int source = 0;
  int target = 0;
};
// Each database is in one of those states at a time, so the peak is that of the
// costliest mixture that the limits allow.
PeakConnections PeakConnectionsOf(const ServerJobs& jobs);

// What a server has for this role, now.
struct ConnectionRoom {
  int max_connections = 0;
  int reserved = 0;     // That this role may not take.
  int in_use = 0;       // By clients, without the session that asks.
  int role_limit = -1;  // Of the role's own; -1: none.
  int role_in_use = 0;

  int Free() const;
};
absl::StatusOr<ConnectionRoom> ReadConnectionRoom(PgConnection& connection);

// kFailedPrecondition: the side has fewer than are needed. The hint names the
// option that is to be lowered, and to what.
absl::Status CheckConnectionRoom(Side side, const ServerJobs& jobs,
                                 const ConnectionRoom& room);

}  // namespace walferry

#endif  // ENGINE_SERVER_CONNECTION_BUDGET_H_
