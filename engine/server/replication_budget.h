#ifndef ENGINE_SERVER_REPLICATION_BUDGET_H_
#define ENGINE_SERVER_REPLICATION_BUDGET_H_

// Whether the source has the replication slots and walsenders that a move of
// several databases takes that are all followed at once.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_connection.h"

namespace walferry {

// One database's slot; slots are the server's, so it is called after the
// database's oid. At most 63 bytes.
std::string DatabaseSlotName(absl::string_view migration,
                             absl::string_view database_oid);

struct ReplicationRoom {
  std::string wal_level;
  int max_slots = 0;
  int slots_in_use = 0;  // By others.
  int max_senders = 0;
  int senders_in_use = 0;  // By others.
};
// `own` are the slots of the move, which an earlier run may have made.
absl::StatusOr<ReplicationRoom> ReadReplicationRoom(
    PgConnection& source, const std::vector<std::string>& own);

// kFailedPrecondition: there are too few for so many databases; the hint names
// the setting and its value. `readers` of them copy at once, and each needs one
// more for a moment after an interruption: that is in the hint's value only.
absl::Status CheckWalLevel(const ReplicationRoom& room);
absl::Status CheckSlots(const ReplicationRoom& room, int databases,
                        int readers);
absl::Status CheckSenders(const ReplicationRoom& room, int databases,
                          int readers);

}  // namespace walferry

#endif  // ENGINE_SERVER_REPLICATION_BUDGET_H_
