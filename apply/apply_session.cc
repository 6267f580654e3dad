#include "apply/apply_session.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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
  ASSIGN_OR_RETURN(
      const StreamRow row,
      TakeStreamRow(connection, {.ledger_schema = options.ledger_schema,
                                 .identity = options.identity,
                                 .start = options.start,
                                 .deadline = deadline,
                                 .on_wait = options.on_wait}));
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
