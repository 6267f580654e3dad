// Checks: the source's settings, and what stands in the way of a slot.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Transactions that have run for less end by themselves, mostly.
constexpr char kLongTransaction[] = "5 seconds";
// Half of it passes before the server asks whether the client still lives.
constexpr int64_t kShortSenderTimeoutMs = 10000;

absl::Status CheckWalLevel(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::string level,
                   check.source.QueryValue("SHOW wal_level"));
  if (level == "logical") {
    check.findings.Ok({"wal-level", "source", "wal_level is logical"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"wal-level", "source",
       absl::StrCat("wal_level is ", level, ", not logical"),
       "ALTER SYSTEM SET wal_level = logical; then restart the server (managed "
       "services have a parameter for it, such as rds.logical_replication)"});
  return absl::OkStatus();
}

absl::Status CheckReplicationConnection(CheckContext& check) {
  if (check.source_replication != nullptr) {
    check.findings.Ok({"replication-connection", "source",
                       "the role may open a replication connection"});
    return absl::OkStatus();
  }
  const std::string hint = HintOf(check.replication_error);
  check.findings.Blocking(
      {"replication-connection", "source",
       absl::StrCat("no replication connection: ",
                    check.replication_error.message()),
       hint.empty()
           ? absl::StrCat(
                 "ALTER ROLE ", QuoteIdentifier(check.source.user()),
                 " REPLICATION; (managed services grant a role for it, such "
                 "as rds_replication), and let pg_hba.conf accept it for this "
                 "database")
           : hint});
  return absl::OkStatus();
}

// How much log the server writes, as far as the role may know.
absl::StatusOr<std::string> WalVolume(CheckContext& check) {
  std::string text;
  if (check.source.server_version() >= 140000) {
    ASSIGN_OR_RETURN(
        text,
        check.source.QueryValue(
            "SELECT CASE WHEN now() - stats_reset > interval '1 hour'"
            " THEN 'it has written ' || pg_size_pretty((wal_bytes * 3600 /"
            " extract(epoch FROM now() - stats_reset))::bigint) ||"
            " ' an hour on average since ' || stats_reset::date ELSE '' END"
            " FROM pg_stat_wal"));
  }
  constexpr char kHeld[] =
      "SELECT 'pg_wal holds ' || pg_size_pretty(coalesce(sum(size), 0)) ||"
      " ' now' FROM pg_ls_waldir()";
  if (Probe(check.source, kHeld).ok()) {
    ASSIGN_OR_RETURN(const std::string held, check.source.QueryValue(kHeld));
    absl::StrAppend(&text, text.empty() ? "" : ", ", held);
  }
  return text;
}

absl::Status CheckWalRoom(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::string keep,
                   check.source.QueryValue("SHOW max_slot_wal_keep_size"));
  ASSIGN_OR_RETURN(const std::string volume, WalVolume(check));
  const std::string note =
      volume.empty() ? "" : absl::StrCat(" (", volume, ")");
  if (keep == "-1") {
    check.findings.Info(
        {"wal-room", "source",
         absl::StrCat("the slot keeps all log that the target has not applied "
                      "yet: its disk must hold what is written meanwhile",
                      note),
         "watch the free space of pg_wal while the migration runs"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"wal-room", "source",
       absl::StrCat("the slot is lost, and the migration with it, once it has "
                    "to keep more than ",
                    keep, " of log (max_slot_wal_keep_size)", note),
       "ALTER SYSTEM SET max_slot_wal_keep_size = -1; SELECT "
       "pg_reload_conf(); if the disk has room"});
  return absl::OkStatus();
}

absl::Status CheckIdleSlotTimeout(CheckContext& check) {
  if (check.source.server_version() < 180000) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      const std::string timeout,
      check.source.QueryValue("SHOW idle_replication_slot_timeout"));
  if (timeout == "0") {
    check.findings.Ok({"idle-slot-timeout", "source",
                       "an idle slot is kept (idle_replication_slot_timeout)"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"idle-slot-timeout", "source",
       absl::StrCat("the slot of a migration that is interrupted for ", timeout,
                    " is lost (idle_replication_slot_timeout)"),
       "ALTER SYSTEM SET idle_replication_slot_timeout = 0; SELECT "
       "pg_reload_conf();"});
  return absl::OkStatus();
}

absl::Status CheckSenderTimeout(CheckContext& check) {
  ASSIGN_OR_RETURN(const int64_t timeout_ms,
                   QueryNumber(check.source,
                               "SELECT setting::bigint FROM pg_settings"
                               " WHERE name = 'wal_sender_timeout'"));
  if (timeout_ms == 0 || timeout_ms >= kShortSenderTimeoutMs) {
    check.findings.Ok(
        {"wal-sender-timeout", "source",
         absl::StrCat("wal_sender_timeout is ", timeout_ms, " ms")});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"wal-sender-timeout", "source",
       absl::StrCat("wal_sender_timeout is ", timeout_ms,
                    " ms: a short pause of the network ends the stream"),
       absl::StrCat("ALTER ROLE ", QuoteIdentifier(check.source.user()),
                    " SET wal_sender_timeout = '60s';")});
  return absl::OkStatus();
}

// Whoever is named there makes each commit of the application wait for it.
absl::Status CheckSynchronousStandby(CheckContext& check) {
  ASSIGN_OR_RETURN(const std::string names,
                   check.source.QueryValue("SHOW synchronous_standby_names"));
  if (names.find('*') == std::string::npos) {
    check.findings.Ok({"synchronous-standby", "source",
                       "synchronous_standby_names does not name walferry"});
    return absl::OkStatus();
  }
  check.findings.Warning(
      {"synchronous-standby", "source",
       absl::StrCat("synchronous_standby_names is '", names,
                    "': walferry's stream may count as a standby, and commits "
                    "then wait for the target"),
       "name the real standbys instead of *"});
  return absl::OkStatus();
}

// Creating a slot waits until every transaction with an xid has ended, also
// those of other databases.
absl::Status CheckLongTransactions(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec(absl::StrCat(
          "SELECT pid, usename, application_name, datname, state,"
          " date_trunc('second', clock_timestamp() - xact_start),"
          " query_start FROM pg_stat_activity"
          " WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
          " AND clock_timestamp() - xact_start > interval '",
          kLongTransaction, "' ORDER BY xact_start")));
  for (int row = 0; row < rows.rows(); ++row) {
    check.findings.Warning(
        {"long-transaction", "source",
         absl::StrCat("process ", rows.Text(row, 0), " (role ",
                      rows.Text(row, 1), ", application \"", rows.Text(row, 2),
                      "\", database ", rows.Text(row, 3), ", ",
                      rows.Text(row, 4), ") has been in a transaction for ",
                      rows.Text(row, 5), ", its last query began at ",
                      rows.Text(row, 6),
                      ": creating the slot waits for its end"),
         absl::StrCat("end it, or: SELECT pg_terminate_backend(",
                      rows.Text(row, 0), ");")});
  }
  ASSIGN_OR_RETURN(const std::string sees_all,
                   check.source.QueryValue(
                       "SELECT pg_has_role('pg_read_all_stats', 'USAGE')"));
  if (sees_all == "f") {
    check.findings.Info(
        {"long-transaction", "source",
         "the role does not see the transactions of other "
         "roles, which creating the slot waits for",
         absl::StrCat("GRANT pg_read_all_stats TO ",
                      QuoteIdentifier(check.source.user()), ";")});
  } else if (rows.rows() == 0) {
    check.findings.Ok({"long-transaction", "source",
                       absl::StrCat("no transaction has been open for more "
                                    "than ",
                                    kLongTransaction)});
  }
  return absl::OkStatus();
}

absl::Status CheckPreparedTransactions(CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.source.Exec("SELECT gid, owner, database, prepared"
                        " FROM pg_prepared_xacts ORDER BY prepared"));
  if (rows.rows() == 0) {
    check.findings.Ok({"prepared-transaction", "source",
                       "no transaction waits for COMMIT PREPARED"});
  }
  const bool offline = check.options.mode == MigrateMode::kOffline;
  for (int row = 0; row < rows.rows(); ++row) {
    const std::string gid = QuoteLiteral(rows.Text(row, 0));
    check.findings.Warning(
        {"prepared-transaction", "source",
         absl::StrCat("transaction ", gid, " (role ", rows.Text(row, 1),
                      ", database ", rows.Text(row, 2), ") is prepared since ",
                      rows.Text(row, 3),
                      offline ? ": what it wrote is not carried until then"
                              : ": creating the slot waits until it is ended"),
         absl::StrCat("in database ", rows.Text(row, 2), ": COMMIT PREPARED ",
                      gid, "; or ROLLBACK PREPARED ", gid, ";")});
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> SourceChecks() {
  return {{.id = "wal-level",
           .run = CheckWalLevel,
           .online_only = true,
           .of = StepOf::kSum},
          {"replication-connection", CheckReplicationConnection,
           /*online_only=*/true},
          {.id = "wal-room",
           .run = CheckWalRoom,
           .online_only = true,
           .of = StepOf::kServers},
          {.id = "idle-slot-timeout",
           .run = CheckIdleSlotTimeout,
           .online_only = true,
           .of = StepOf::kServers},
          {"wal-sender-timeout", CheckSenderTimeout, /*online_only=*/true},
          {.id = "synchronous-standby",
           .run = CheckSynchronousStandby,
           .online_only = true,
           .of = StepOf::kServers},
          {.id = "long-transaction",
           .run = CheckLongTransactions,
           .online_only = true,
           .of = StepOf::kServers},
          {.id = "prepared-transaction",
           .run = CheckPreparedTransactions,
           .of = StepOf::kServers}};
}

}  // namespace walferry
