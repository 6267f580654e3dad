#include "engine/quiet_source.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

std::string Count(int64_t count, absl::string_view noun) {
  return absl::StrCat(count, " ", noun, count == 1 ? "" : "s");
}

}  // namespace

std::string OpenWriters::Describe() const {
  std::vector<std::string> parts;
  if (sessions > 0) parts.push_back(Count(sessions, "open transaction"));
  if (prepared > 0) parts.push_back(Count(prepared, "prepared transaction"));
  return absl::StrJoin(parts, ", ");
}

absl::StatusOr<OpenWriters> CountOpenWriters(PgConnection& source) {
  // Of another role's session a narrow role sees neither state nor
  // transaction. It sees all locks, and a writer holds one on its own xid.
  ASSIGN_OR_RETURN(
      PgResult row,
      source.Exec(
          "SELECT (SELECT count(DISTINCT l.pid) FROM pg_catalog.pg_locks l "
          "JOIN pg_catalog.pg_stat_activity a USING (pid) "
          "WHERE l.locktype = 'transactionid' AND l.granted "
          "AND l.mode = 'ExclusiveLock' "
          "AND a.datname = pg_catalog.current_database() "
          "AND l.pid <> pg_catalog.pg_backend_pid()), "
          "(SELECT count(*) FROM pg_catalog.pg_prepared_xacts "
          "WHERE database = pg_catalog.current_database())"));
  OpenWriters writers;
  ASSIGN_OR_RETURN(writers.sessions, row.Int64(0, 0));
  ASSIGN_OR_RETURN(writers.prepared, row.Int64(0, 1));
  return writers;
}

absl::Status FreezeDatabase(PgConnection& source) {
  const absl::Status set =
      source
          .Exec(absl::StrCat("ALTER DATABASE ",
                             QuoteIdentifier(source.dbname()),
                             " SET default_transaction_read_only = on"))
          .status();
  if (!set.ok()) {
    return WithHint(Annotate(set, "source: freeze"),
                    "only the database's owner may: stop the writers yourself "
                    "and use --freeze none");
  }
  return Annotate(
      source
          .Exec("SELECT pg_catalog.pg_terminate_backend(pid) FROM "
                "pg_catalog.pg_stat_activity WHERE datname = "
                "pg_catalog.current_database() AND backend_type = 'client "
                "backend' AND pid <> pg_catalog.pg_backend_pid() AND "
                "application_name NOT LIKE 'walferry %'")
          .status(),
      "source: freeze");
}

absl::Status UnfreezeDatabase(PgConnection& source) {
  // The session itself may have inherited the setting.
  RETURN_IF_ERROR(
      source.Exec("SET default_transaction_read_only = off").status());
  return Annotate(source
                      .Exec(absl::StrCat(
                          "ALTER DATABASE ", QuoteIdentifier(source.dbname()),
                          " RESET default_transaction_read_only"))
                      .status(),
                  "source: unfreeze");
}

}  // namespace walferry
