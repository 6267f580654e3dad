#include "engine/copy/copy_session.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kValueSettings =
    "SET datestyle = 'ISO, MDY'; SET intervalstyle = 'postgres';"
    "SET timezone = 'UTC'; SET extra_float_digits = 3;"
    "SET bytea_output = 'hex'; SET xmloption = 'content';"
    "SET lc_monetary = 'C'; SET array_nulls = on;"
    "SET quote_all_identifiers = off; SET standard_conforming_strings = on;"
    "SET search_path = ''; SET row_security = off;"
    "SET client_min_messages = 'warning'; SET statement_timeout = 0;"
    "SET idle_in_transaction_session_timeout = 0;";

// Ranges are read by their ctid alone and in one process: a parallel scan of
// the whole table would look cheap to the planner for each of them.
constexpr absl::string_view kSourceSettings =
    "SET enable_seqscan = off; SET max_parallel_workers_per_gather = 0;"
    "SET synchronize_seqscans = off;";

constexpr absl::string_view kTargetSettings =
    "SET synchronous_commit = 'on';"
    "SET default_transaction_isolation = 'read committed';"
    "SET default_transaction_read_only = off;"
    "SET default_transaction_deferrable = off;";

// Those of kValueSettings and of both sides that came later.
std::string SettingsSince10(int version) {
  return absl::StrCat(version >= 110000 ? "SET jit = off;" : "",
                      version >= 140000 ? "SET idle_session_timeout = 0;" : "",
                      version >= 170000 ? "SET transaction_timeout = 0;" : "");
}

absl::Status Configure(PgConnection& connection,
                       const CopySessionOptions& options,
                       absl::string_view more) {
  return connection
      .Exec(absl::StrCat(
          ValueSettingsSql(connection.server_version(), options.lock_wait),
          more))
      .status();
}

}  // namespace

std::string ValueSettingsSql(int server_version, absl::Duration lock_wait) {
  return absl::StrCat(
      kValueSettings, SettingsSince10(server_version),
      "SET lock_timeout = ", absl::ToInt64Milliseconds(lock_wait), ";");
}

absl::Status ConfigureCopySource(PgConnection& source,
                                 const CopySessionOptions& options) {
  return Annotate(
      Configure(source, options,
                absl::StrCat(kSourceSettings,
                             "SELECT set_config('client_encoding', "
                             "current_setting('server_encoding'), false)")),
      "source: session settings");
}

// COPY would store any bytes from a client that speaks SQL_ASCII. They are
// taken for the target's own encoding, and checked.
absl::Status ConfigureCopyTarget(PgConnection& target,
                                 const CopySessionOptions& options,
                                 const std::string& encoding) {
  const std::string spoken =
      encoding == "SQL_ASCII" ? target.parameter("server_encoding") : encoding;
  return Annotate(
      Configure(target, options,
                absl::StrCat(kTargetSettings,
                             "SET client_encoding = ", QuoteLiteral(spoken))),
      "target: session settings");
}

namespace {

absl::StatusOr<PgConnection> OpenSource(const CopySessionOptions& options,
                                        PgConnectOptions connect) {
  connect.conninfo = options.endpoints.source;
  connect.application_name = "walferry copy";
  connect.connect_timeout = options.endpoints.connect_timeout;
  connect.interrupt = options.interrupt;
  absl::StatusOr<PgConnection> connection = PgConnection::Open(connect);
  if (!connection.ok()) return Annotate(connection.status(), "source");
  RETURN_IF_ERROR(ConfigureCopySource(*connection, options));
  return connection;
}

std::string CopyLockKeys(const Endpoints& endpoints) {
  return absl::Substitute(
      "hashtext($0), hashtext($1)",
      QuoteLiteral(absl::StrCat("walferry copy ", endpoints.ledger_schema)),
      QuoteLiteral(endpoints.name));
}

}  // namespace

absl::StatusOr<PgConnection> OpenCopySource(const CopySessionOptions& options) {
  return OpenSource(options, {});
}

absl::StatusOr<PgConnection> OpenCopyWalsender(
    const CopySessionOptions& options, absl::Duration statement_timeout) {
  PgConnectOptions connect;
  connect.replication = true;
  connect.statement_timeout = statement_timeout;
  // A slot waits for transactions by locking their ids: that is not bounded by
  // the time that a table may take.
  CopySessionOptions patient = options;
  patient.lock_wait = absl::ZeroDuration();
  return OpenSource(patient, std::move(connect));
}

absl::StatusOr<PgConnection> OpenCopyTarget(const CopySessionOptions& options,
                                            const std::string& encoding) {
  PgConnectOptions connect;
  connect.conninfo = options.endpoints.target;
  connect.application_name = "walferry copy";
  connect.connect_timeout = options.endpoints.connect_timeout;
  connect.interrupt = options.interrupt;
  absl::StatusOr<PgConnection> connection = PgConnection::Open(connect);
  if (!connection.ok()) return Annotate(connection.status(), "target");
  RETURN_IF_ERROR(ConfigureCopyTarget(*connection, options, encoding));
  const absl::Status locked =
      connection
          ->Exec(absl::StrCat("SELECT pg_advisory_lock_shared(",
                              CopyLockKeys(options.endpoints), ")"))
          .status();
  if (!locked.ok()) return Annotate(locked, "target: the copy lock");
  const absl::Status quiet =
      connection->Exec("SET session_replication_role = 'replica'").status();
  if (!quiet.ok() && SqlStateOf(quiet) != "42501") {
    return Annotate(quiet, "target: session settings");
  }
  return connection;
}

absl::StatusOr<int> EndEarlierCopies(PgConnection& target,
                                     const Endpoints& endpoints) {
  const std::string holders = absl::StrCat(
      "FROM pg_locks l, (SELECT ARRAY[", CopyLockKeys(endpoints),
      "] AS k) AS key WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND "
      "l.database = (SELECT oid FROM pg_database WHERE datname = "
      "current_database()) AND l.classid::bigint = k[1]::bigint & 4294967295 "
      "AND l.objid::bigint = k[2]::bigint & 4294967295 AND l.pid <> "
      "pg_backend_pid()");
  ASSIGN_OR_RETURN(const std::string count,
                   target.QueryValue("SELECT count(*) " + holders));
  if (count == "0") return 0;
  // It may belong to a role that we cannot end: then it ends by itself, once
  // its server notices that nobody is there.
  const absl::Status ended =
      target.Exec("SELECT pg_terminate_backend(l.pid) " + holders).status();
  if (!ended.ok() && SqlStateOf(ended) != "42501") return ended;
  const absl::Time deadline = absl::Now() + absl::Minutes(1);
  while (true) {
    ASSIGN_OR_RETURN(
        const std::string pids,
        target.QueryValue(
            "SELECT coalesce(string_agg(l.pid::text, ', '), '') " + holders));
    if (pids.empty()) return std::stoi(count);
    if (absl::Now() > deadline) {
      return WithHint(
          absl::UnavailableError(absl::StrCat(
              "target: sessions of an earlier run still copy: pid ", pids)),
          "end them with pg_terminate_backend()");
    }
    if (target.interrupt() != nullptr) {
      RETURN_IF_ERROR(target.interrupt()->Sleep(absl::Milliseconds(50)));
    } else {
      absl::SleepFor(absl::Milliseconds(50));
    }
  }
}

}  // namespace walferry
