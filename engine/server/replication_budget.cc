#include "engine/server/replication_budget.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/migration_name.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status CheckRoom(absl::string_view what, absl::string_view setting,
                       int max, int in_use, int databases, int readers) {
  const int free = std::max(max - in_use, 0);
  if (databases <= free) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          databases, " ", what, " are needed, one for each database, and ",
          free, " are free: ", setting, " is ", max, ", ", in_use,
          " are in use")),
      absl::StrCat("ALTER SYSTEM SET ", setting, " = ",
                   in_use + databases + readers,
                   "; and restart the server, or move fewer databases"));
}

}  // namespace

std::string DatabaseSlotName(absl::string_view migration,
                             absl::string_view database_oid) {
  return absl::StrCat(DefaultObjectName(migration), "_", database_oid);
}

absl::StatusOr<ReplicationRoom> ReadReplicationRoom(
    PgConnection& source, const std::vector<std::string>& own) {
  const std::string names =
      absl::StrJoin(own, ", ", [](std::string* out, const std::string& name) {
        absl::StrAppend(out, QuoteLiteral(name));
      });
  const std::string is_own =
      own.empty() ? "false" : absl::StrCat("slot_name IN (", names, ")");
  ASSIGN_OR_RETURN(
      const PgResult row,
      source.Exec(absl::StrCat(
          "SELECT pg_catalog.current_setting('wal_level'), "
          "pg_catalog.current_setting('max_replication_slots'), (SELECT "
          "pg_catalog.count(*) FROM pg_catalog.pg_replication_slots WHERE NOT ",
          is_own,
          "), pg_catalog.current_setting('max_wal_senders'), (SELECT "
          "pg_catalog.count(*) FROM pg_catalog.pg_stat_replication WHERE pid "
          "NOT IN (SELECT active_pid FROM pg_catalog.pg_replication_slots "
          "WHERE active_pid IS NOT NULL AND ",
          is_own, "))")));
  ReplicationRoom room{.wal_level = std::string(row.Text(0, 0))};
  int column = 1;
  for (int* value : {&room.max_slots, &room.slots_in_use, &room.max_senders,
                     &room.senders_in_use}) {
    ASSIGN_OR_RETURN(const int64_t number, row.Int64(0, column++));
    *value = static_cast<int>(number);
  }
  return room;
}

absl::Status CheckWalLevel(const ReplicationRoom& room) {
  if (room.wal_level == "logical") return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("wal_level is ", room.wal_level, ", not logical")),
      "ALTER SYSTEM SET wal_level = logical; then restart the server (managed "
      "services have a parameter for it, such as rds.logical_replication)");
}

absl::Status CheckSlots(const ReplicationRoom& room, int databases,
                        int readers) {
  return CheckRoom("replication slots", "max_replication_slots", room.max_slots,
                   room.slots_in_use, databases, readers);
}

absl::Status CheckSenders(const ReplicationRoom& room, int databases,
                          int readers) {
  return CheckRoom("walsenders", "max_wal_senders", room.max_senders,
                   room.senders_in_use, databases, readers);
}

}  // namespace walferry
