#ifndef ENGINE_SERVER_CONNECTION_BUDGET_H_
#define ENGINE_SERVER_CONNECTION_BUDGET_H_

// How many connections a move of several databases needs at its peak on either
// side, and whether the servers have them. A run that finds out in the middle
// takes them away from the applications.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What the options say. All at least 1.
struct ServerJobs {
  int max_parallel = 1;      // Databases that are worked on at once, ...
  int dump_parallel = 1;     // ... of them those that read the source, ...
  int restore_parallel = 1;  // ... those that build on the target, ...
  int verify_parallel = 0;   // ... and those that are compared; 0: none are.
  int jobs = 4;              // In each: tables or ranges copied, ...
  int index_jobs = 2;        // ... and indexes built at once.
  // Those that do not read any more keep their snapshot of the source, for
  // delayed tables.
  bool keep_snapshots = false;
  bool fast_target = false;  // Until clients come.
  // They are followed, all at once: max_parallel is how many they are.
  bool online = false;
  int apply_jobs = 1;
};

// Sessions of the whole run. Each database is in one of these states at a time,
// so the peak is that of the costliest mixture that the limits allow:
//
//   state                  source              target
//   awaits its turn        none                none
//   reads (Work::kRead)    migration, guard,   ledger, the copy's own, and
//                          the list of large   one for each job
//                          objects, and one
//                          for each job
//   awaits the next turn   migration           ledger
//   builds (Work::kBuild)  migration           ledger, and one for each index
//                                              job
//   is compared            one that holds a   the same, and one for notes
//   (Work::kCompare)       snapshot, and one
//                          for each job
//   follows, cuts over     migration, and     ledger, and one for each apply
//   (online)               pg_dump's or the   job and for unlogged tables, or
//                          unlogged tables'   for each index job
//
// Online the turn is awaited with one session on either side. Walsenders are no
// connections (replication_budget.h).
//
// With keep_snapshots those that wait or build have the guard and another
// session on the source besides; and who is compared before clients come has
// all that it waits with. Who is compared online follows meanwhile, and has one
// session more on the source and two on the target (engine/stream/meeting.h).
//
// Besides, the run itself has a session on the target, and another one while it
// makes a fast target durable for clients.
struct PeakConnections {
  int source = 0;
  int target = 0;
};
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

// kFailedPrecondition: the side, which the text leaves to the caller, has fewer
// than are needed. The hint names the option that is to be lowered, and to
// what.
absl::Status CheckConnectionRoom(Side side, const ServerJobs& jobs,
                                 const ConnectionRoom& room);

}  // namespace walferry

#endif  // ENGINE_SERVER_CONNECTION_BUDGET_H_
