// Checks: whether both servers have room for walferry's slots, sessions and
// locks.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The ledger's, the schema's and the stream's session, and one to spare.
constexpr int64_t kOtherSessions = 4;

struct Usage {
  int64_t limit = 0;
  int64_t used = 0;

  int64_t free() const { return limit - used; }
};

absl::StatusOr<Usage> ReadUsage(PgConnection& connection,
                                const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult row, connection.Exec(sql));
  Usage usage;
  ASSIGN_OR_RETURN(usage.limit, row.Int64(0, 0));
  ASSIGN_OR_RETURN(usage.used, row.Int64(0, 1));
  return usage;
}

std::string UsageText(absl::string_view setting, const Usage& usage) {
  return absl::StrCat(usage.used, " of ", setting, " = ", usage.limit,
                      " are in use");
}

// One for the migration, and one for a moment when it has to take a new
// snapshot after an interruption.
absl::Status CheckReplicationSlots(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const Usage slots,
      ReadUsage(check.source,
                "SELECT current_setting('max_replication_slots')::bigint,"
                " count(*) FROM pg_replication_slots"));
  const std::string text = UsageText("max_replication_slots", slots);
  const std::string hint = absl::StrCat(
      "drop slots that nobody uses (SELECT slot_name, active FROM "
      "pg_replication_slots), or ALTER SYSTEM SET max_replication_slots = ",
      slots.used + 4, "; and restart");
  const int64_t needed = check.resuming ? 0 : 1;
  if (slots.free() < needed) {
    check.findings.Blocking({"replication-slots", "source", text, hint});
  } else if (slots.free() < needed + 1) {
    check.findings.Warning(
        {"replication-slots", "source",
         absl::StrCat(text,
                      ": an interrupted copy could not go on, which "
                      "takes a second slot for a moment"),
         hint});
  } else {
    check.findings.Ok({"replication-slots", "source", text});
  }
  return absl::OkStatus();
}

absl::Status CheckWalSenders(CheckContext& check) {
  ASSIGN_OR_RETURN(Usage senders,
                   ReadUsage(check.source,
                             "SELECT current_setting('max_wal_senders')"
                             "::bigint, count(*) FROM pg_stat_replication"));
  // The one over which the checks themselves are run.
  if (check.source_replication != nullptr) --senders.used;
  const std::string text = UsageText("max_wal_senders", senders);
  const std::string hint = absl::StrCat(
      "ALTER SYSTEM SET max_wal_senders = ", senders.used + 4, "; and restart");
  if (senders.free() < 1) {
    check.findings.Blocking({"wal-senders", "source", text, hint});
  } else if (senders.free() < 2) {
    check.findings.Warning(
        {"wal-senders", "source",
         absl::StrCat(text,
                      ": an interrupted copy could not go on, which "
                      "takes a second one for a moment"),
         hint});
  } else {
    check.findings.Ok({"wal-senders", "source", text});
  }
  return absl::OkStatus();
}

// Of the server, the database and the role, whichever leaves least.
absl::StatusOr<int64_t> FreeConnections(PgConnection& connection) {
  return QueryNumber(
      connection,
      "SELECT least("
      " current_setting('max_connections')::bigint"
      " - current_setting('superuser_reserved_connections')::bigint"
      " - coalesce(current_setting('reserved_connections', true)::bigint, 0)"
      " - (SELECT coalesce(sum(numbackends), 0)::bigint"
      " FROM pg_stat_database),"
      " (SELECT nullif(datconnlimit, -1) - numbackends FROM pg_database d"
      " JOIN pg_stat_database s ON s.datid = d.oid"
      " WHERE d.datname = current_database()),"
      " (SELECT nullif(rolconnlimit, -1) - (SELECT count(*)"
      " FROM pg_stat_activity a WHERE a.usename = r.rolname)"
      " FROM pg_roles r WHERE r.rolname = current_user))");
}

absl::Status CheckConnections(CheckContext& check, absl::string_view side,
                              PgConnection& connection, int64_t needed) {
  ASSIGN_OR_RETURN(const int64_t free, FreeConnections(connection));
  if (free >= needed) {
    check.findings.Ok({"connections", std::string(side),
                       absl::StrCat(free, " more connections are possible")});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"connections", std::string(side),
       absl::StrCat(free,
                    " more connections are possible, the migration "
                    "opens up to ",
                    needed),
       "use smaller --jobs, --index-jobs and --apply-jobs, or raise "
       "max_connections or the role's or database's connection limit"});
  return absl::OkStatus();
}

absl::Status CheckSourceConnections(CheckContext& check) {
  return CheckConnections(check, "source", check.source,
                          check.options.jobs + kOtherSessions);
}

absl::Status CheckTargetConnections(CheckContext& check) {
  return CheckConnections(
      check, "target", check.target,
      std::max({check.options.jobs, check.options.index_jobs,
                check.options.mode == MigrateMode::kOnline
                    ? check.options.stream.apply_jobs
                    : 0}) +
          kOtherSessions);
}

// One session locks every table while rows are copied, and pg_dump does too.
absl::Status CheckLocks(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const int64_t capacity,
      QueryNumber(check.source,
                  "SELECT current_setting('max_locks_per_transaction')::bigint"
                  " * (current_setting('max_connections')::bigint"
                  " + current_setting('max_prepared_transactions')::bigint)"));
  const auto tables = static_cast<int64_t>(check.catalog.tables.size() +
                                           check.catalog.partitioned.size());
  const std::string text =
      absl::StrCat("the lock table holds about ", capacity, " locks, ",
                   CountOf(tables, "table"), " will be locked at once");
  if (tables < capacity / 2) {
    check.findings.Ok({"locks", "source", text});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"locks", "source", text,
       "ALTER SYSTEM SET max_locks_per_transaction to a few times as much, and "
       "restart"});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> CapacityChecks() {
  return {
      {.id = "replication-slots",
       .run = CheckReplicationSlots,
       .online_only = true,
       .of = StepOf::kSum},
      {.id = "wal-senders",
       .run = CheckWalSenders,
       .online_only = true,
       .of = StepOf::kSum},
      {.id = "connections", .run = CheckSourceConnections, .of = StepOf::kSum},
      {.id = "connections", .run = CheckTargetConnections, .of = StepOf::kSum},
      {"locks", CheckLocks}};
}

}  // namespace walferry
