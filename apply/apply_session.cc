#include "apply/apply_session.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "apply/stream_lock.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using Parameters = std::vector<std::optional<std::string>>;

// What values and statements mean must not depend on the target's
// configuration. Sent in the startup packet, so that ALTER ROLE and ALTER
// DATABASE cannot change it.
constexpr std::pair<const char*, const char*> kPinned[] = {
    {"search_path", ""},
    {"DateStyle", "ISO, MDY"},
    {"IntervalStyle", "postgres"},
    {"extra_float_digits", "3"},
    {"lc_monetary", "C"},
    {"xmloption", "content"},
    {"array_nulls", "on"},
    {"standard_conforming_strings", "on"},
    // An error instead of rows that are not seen.
    {"row_security", "off"},
    {"client_min_messages", "warning"},
    {"default_transaction_isolation", "read committed"},
    {"default_transaction_read_only", "off"},
    {"default_transaction_deferrable", "off"},
    {"synchronous_commit", "on"},
    {"statement_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"idle_session_timeout", "0"},
    // Statements that find rows by their keys: compiling never pays, and a plan
    // made while the table was small must not scan it later. A plan of its own
    // for each set of rows would cost more than the set.
    {"jit", "off"},
    {"enable_seqscan", "off"},
    {"enable_hashjoin", "off"},
    {"enable_mergejoin", "off"},
    {"plan_cache_mode", "force_generic_plan"},
};

PgConnectOptions WithSettings(PgConnectOptions options) {
  // The last one of a name counts: a caller may want another lock_timeout.
  options.settings.insert(options.settings.begin(), {"lock_timeout", "0"});
  for (const auto& [name, value] : kPinned) {
    options.settings.emplace_back(name, value);
  }
  return options;
}

absl::Status SetUp(PgConnection& connection, TriggerGuard guard) {
  if (connection.server_version() >= 170000) {
    RETURN_IF_ERROR(connection.Exec("SET transaction_timeout = 0").status());
  }
  if (guard == TriggerGuard::kNone) return absl::OkStatus();
  // As a statement: managed services that allow it at all allow only this.
  const absl::Status status =
      connection.Exec("SET session_replication_role = replica").status();
  if (SqlStateOf(status) != "42501") return status;
  return WithHint(
      Annotate(status,
               "cannot keep the target's triggers and foreign keys from "
               "acting on applied changes"),
      absl::StrCat("connect as a superuser, or from PostgreSQL 15 on GRANT SET "
                   "ON PARAMETER session_replication_role TO ",
                   QuoteIdentifier(connection.user())));
}

std::string StreamTable(absl::string_view ledger_schema) {
  return absl::StrCat(QuoteIdentifier(ledger_schema), ".stream");
}

struct StreamRow {
  Lsn position;
  int64_t epoch = 0;
};

// Unless it is there. An INSERT with ON CONFLICT would wait for whoever still
// writes it; the lock of the stream is held, so nobody else creates it.
absl::Status CreateRow(PgConnection& connection,
                       const ApplySessionOptions& options) {
  const StreamIdentity& identity = options.identity;
  const std::string table = StreamTable(options.ledger_schema);
  return connection
      .ExecParams(
          absl::StrCat("INSERT INTO ", table,
                       " (name, system_identifier, slot, dbname, applied_lsn,"
                       " epoch) SELECT $1, $2, $3, $4, $5, 0 WHERE NOT EXISTS"
                       " (SELECT FROM ",
                       table, " WHERE name = $1)"),
          Parameters{identity.name, identity.system_identifier, identity.slot,
                     identity.dbname, options.start.ToString()})
      .status();
}

absl::Status VerifyRow(PgConnection& connection,
                       const ApplySessionOptions& options) {
  const StreamIdentity& identity = options.identity;
  ASSIGN_OR_RETURN(
      const PgResult result,
      connection.ExecParams(
          absl::StrCat("SELECT system_identifier, slot, dbname FROM ",
                       StreamTable(options.ledger_schema), " WHERE name = $1"),
          Parameters{identity.name}));
  if (result.rows() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("stream \"", identity.name, "\" has vanished from ",
                     StreamTable(options.ledger_schema)));
  }
  const std::array<std::pair<absl::string_view, absl::string_view>, 3> facts = {
      {{"system identifier", identity.system_identifier},
       {"slot", identity.slot},
       {"database", identity.dbname}}};
  std::vector<std::string> differences;
  for (size_t index = 0; index < facts.size(); ++index) {
    const absl::string_view stored = result.Text(0, static_cast<int>(index));
    if (stored == facts[index].second) continue;
    differences.push_back(absl::StrCat(facts[index].first, " \"", stored,
                                       "\" there, \"", facts[index].second,
                                       "\" here"));
  }
  if (differences.empty()) return absl::OkStatus();
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the target's stream \"", identity.name,
          "\" comes from another source: ", absl::StrJoin(differences, "; "))),
      "its position means nothing here: choose another name, or clean up the "
      "old migration first");
}

absl::StatusOr<StreamRow> UpdateEpoch(PgConnection& connection,
                                      const ApplySessionOptions& options) {
  const std::string table = StreamTable(options.ledger_schema);
  const Parameters name = {options.identity.name};
  RETURN_IF_ERROR(connection.Exec("BEGIN").status());
  RETURN_IF_ERROR(
      connection
          .ExecParams(absl::StrCat("SELECT FROM ", table,
                                   " WHERE name = $1 FOR UPDATE NOWAIT"),
                      name)
          .status());
  ASSIGN_OR_RETURN(const PgResult result,
                   connection.ExecParams(
                       absl::StrCat("UPDATE ", table,
                                    " SET epoch = epoch + 1 WHERE name = $1"
                                    " RETURNING applied_lsn, epoch"),
                       name));
  RETURN_IF_ERROR(connection.Exec("COMMIT").status());
  if (result.rows() != 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("stream \"", options.identity.name, "\" has vanished"));
  }
  StreamRow row;
  ASSIGN_OR_RETURN(row.position, result.LsnAt(0, 0));
  ASSIGN_OR_RETURN(row.epoch, result.Int64(0, 1));
  return row;
}

// Whose transaction has locked the stream's row; 0: nobody's any more.
absl::StatusOr<int64_t> FindRowHolder(PgConnection& connection,
                                      const ApplySessionOptions& options) {
  ASSIGN_OR_RETURN(
      const PgResult result,
      connection.ExecParams(
          absl::StrCat("SELECT l.pid FROM ", StreamTable(options.ledger_schema),
                       " s JOIN pg_catalog.pg_locks l ON l.granted"
                       " AND l.locktype = 'transactionid'"
                       " AND l.transactionid = s.xmax WHERE s.name = $1"),
          Parameters{options.identity.name}));
  return result.rows() == 0 ? 0 : result.Int64(0, 0);
}

// A process that is gone may have left a session that still works: of several
// only one holds the stream's lock.
absl::StatusOr<StreamRow> RaiseEpoch(PgConnection& connection,
                                     const ApplySessionOptions& options,
                                     absl::Time deadline) {
  bool told = false;
  while (true) {
    absl::StatusOr<StreamRow> row = UpdateEpoch(connection, options);
    constexpr absl::string_view kLocked = "55P03";
    if (row.ok() || SqlStateOf(row.status()) != kLocked) return row;
    RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
    ASSIGN_OR_RETURN(const int64_t pid, FindRowHolder(connection, options));
    if (pid != 0 && absl::Now() >= deadline) {
      return WithHint(
          absl::AbortedError(
              absl::StrCat("another session still writes this stream: process ",
                           pid, " of the target")),
          absl::StrCat("stop what it belongs to; if only the session is left, "
                       "SELECT pg_terminate_backend(",
                       pid, ") on the target ends it"));
    }
    if (pid != 0 && !told && options.on_wait) {
      options.on_wait(absl::StrCat("waiting for process ", pid,
                                   " of the target, which still writes this "
                                   "stream"));
      told = true;
    }
    RETURN_IF_ERROR(PauseBeforeRetry(options.target.interrupt));
  }
}

// Not permitted, not there, switched off, or all in use: the position in the
// stream's row suffices.
bool MeansWithoutOrigin(absl::string_view sqlstate) {
  return sqlstate == "42501" || sqlstate == "42883" || sqlstate == "0A000" ||
         sqlstate == "55000" || sqlstate == "53400";
}

// An origin that the session holds but may not say positions of would be worse
// than none.
absl::StatusOr<bool> MaySetPositionOfOrigin(PgConnection& connection) {
  ASSIGN_OR_RETURN(
      const std::string allowed,
      connection.QueryValue("SELECT pg_catalog.has_function_privilege("
                            "'pg_catalog.pg_replication_origin_xact_setup("
                            "pg_lsn, timestamptz)', 'EXECUTE')"));
  return allowed == "t";
}

absl::Status TakeOrigin(PgConnection& connection, const std::string& origin) {
  const Parameters name = {origin};
  RETURN_IF_ERROR(connection.Exec("BEGIN").status());
  RETURN_IF_ERROR(
      connection
          .ExecParams("SELECT pg_catalog.pg_replication_origin_create($1)"
                      " WHERE pg_catalog.pg_replication_origin_oid($1) IS NULL",
                      name)
          .status());
  RETURN_IF_ERROR(
      connection
          .ExecParams("SELECT pg_catalog.pg_replication_origin_session_setup"
                      "($1)",
                      name)
          .status());
  return connection.Exec("COMMIT").status();
}

// `suffix` ends the origin's name.
absl::StatusOr<bool> SetUpOrigin(PgConnection& connection,
                                 const ApplySessionOptions& options,
                                 absl::string_view suffix,
                                 absl::Time deadline) {
  ASSIGN_OR_RETURN(const bool allowed, MaySetPositionOfOrigin(connection));
  if (!allowed) return false;
  ASSIGN_OR_RETURN(const std::string name,
                   OriginName(connection, options.identity.name));
  const std::string origin = absl::StrCat(name, suffix);
  bool told = false;
  while (true) {
    const absl::Status status = TakeOrigin(connection, origin);
    if (status.ok()) return true;
    const std::string sqlstate = SqlStateOf(status);
    if (sqlstate.empty()) return status;
    RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
    if (MeansWithoutOrigin(sqlstate)) return false;
    const bool in_use = sqlstate == "55006";
    if (!in_use || absl::Now() >= deadline) {
      return in_use ? absl::Status(absl::StatusCode::kAborted, status.message())
                    : status;
    }
    if (!told && options.on_wait) {
      options.on_wait(absl::StrCat("waiting for replication origin \"", origin,
                                   "\": ", status.message()));
      told = true;
    }
    RETURN_IF_ERROR(PauseBeforeRetry(options.target.interrupt));
  }
}

}  // namespace

absl::StatusOr<std::string> OriginName(PgConnection& target,
                                       absl::string_view name) {
  ASSIGN_OR_RETURN(const std::string database,
                   target.QueryValue("SELECT oid FROM pg_catalog.pg_database "
                                     "WHERE datname = "
                                     "pg_catalog.current_database()"));
  return absl::StrCat("walferry_", name, "_", database);
}

std::string StreamTableSql(absl::string_view ledger_schema) {
  return absl::StrCat("CREATE TABLE IF NOT EXISTS ", StreamTable(ledger_schema),
                      " (\n"
                      "  name pg_catalog.text PRIMARY KEY,\n"
                      "  system_identifier pg_catalog.text NOT NULL,\n"
                      "  slot pg_catalog.text NOT NULL,\n"
                      "  dbname pg_catalog.text NOT NULL,\n"
                      "  applied_lsn pg_catalog.pg_lsn NOT NULL,\n"
                      "  commit_time pg_catalog.timestamptz,\n"
                      "  epoch pg_catalog.int8 NOT NULL,\n"
                      "  transactions pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  inserts pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  updates pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  deletes pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  truncates pg_catalog.int8 NOT NULL DEFAULT 0,\n"
                      "  updated_at pg_catalog.timestamptz NOT NULL"
                      " DEFAULT pg_catalog.clock_timestamp()\n"
                      ")");
}

absl::StatusOr<std::unique_ptr<ApplySession>> ApplySession::Connect(
    const ApplySessionOptions& options) {
  ASSIGN_OR_RETURN(PgConnection opened,
                   PgConnection::Open(WithSettings(options.target)));
  std::unique_ptr<ApplySession> session(new ApplySession(std::move(opened)));
  RETURN_IF_ERROR(SetUp(session->connection_, options.trigger_guard));
  RETURN_IF_ERROR(session->AskServer());
  return session;
}

absl::StatusOr<std::unique_ptr<ApplySession>> ApplySession::Open(
    const ApplySessionOptions& options) {
  const absl::Time deadline = absl::Now() + options.lock_wait;
  ASSIGN_OR_RETURN(std::unique_ptr<ApplySession> session, Connect(options));
  PgConnection& connection = session->connection_;
  RETURN_IF_ERROR(AcquireStreamLock(
      connection, StreamLockKeyOf(options.ledger_schema, options.identity.name),
      deadline, options.target.interrupt, options.on_wait));
  RETURN_IF_ERROR(CreateRow(connection, options));
  RETURN_IF_ERROR(VerifyRow(connection, options));
  ASSIGN_OR_RETURN(const StreamRow row,
                   RaiseEpoch(connection, options, deadline));
  ASSIGN_OR_RETURN(session->has_origin_,
                   SetUpOrigin(connection, options, "", deadline));
  session->position_ = row.position;
  session->epoch_ = row.epoch;
  session->ledger_schema_ = options.ledger_schema;
  session->name_ = options.identity.name;
  return session;
}

absl::Status ApplySession::AskServer() {
  constexpr int kTimes = 3;
  round_trip_ = absl::InfiniteDuration();
  for (int time = 0; time < kTimes; ++time) {
    const absl::Time asked = absl::Now();
    ASSIGN_OR_RETURN(const PgResult pid,
                     connection_.Exec("SELECT pg_catalog.pg_backend_pid()"));
    round_trip_ = std::min(round_trip_, absl::Now() - asked);
    ASSIGN_OR_RETURN(const int64_t value, pid.Int64(0, 0));
    server_pid_ = static_cast<int>(value);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ApplySession>> ApplySession::Join(
    const ApplySessionOptions& options, const ApplySession& first, int number) {
  const absl::Time deadline = absl::Now() + options.lock_wait;
  ASSIGN_OR_RETURN(std::unique_ptr<ApplySession> session, Connect(options));
  PgConnection& connection = session->connection_;
  if (first.has_origin_) {
    ASSIGN_OR_RETURN(
        session->has_origin_,
        SetUpOrigin(connection, options, absl::StrCat("/", number), deadline));
    if (!session->has_origin_) {
      return absl::ResourceExhaustedError(
          "the target has no replication origin left");
    }
  }
  session->position_ = first.position_;
  session->epoch_ = first.epoch_;
  session->ledger_schema_ = first.ledger_schema_;
  session->name_ = first.name_;
  return session;
}

ApplySession::ApplySession(PgConnection connection)
    : connection_(std::move(connection)) {}

std::string ApplySession::NextStatementName() {
  return absl::StrCat("walferry_", ++statements_);
}

}  // namespace walferry
