#include "protocol/pg_connection.h"

#include <libpq-fe.h>
#include <poll.h>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/pg_connect.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Bytes that a TLS record brought too early sit in the TLS library, where
// poll() cannot see them: look again from time to time.
constexpr absl::Duration kEncryptedInterval = absl::Milliseconds(100);

void OnNotice(void* argument, const PGresult* result) {
  const auto& on_notice =
      *static_cast<const std::function<void(absl::string_view)>*>(argument);
  if (!on_notice) return;
  // Not PQresultErrorMessage: it is verbose for what comes while connecting.
  char* message = PQresultVerboseErrorMessage(result, PQERRORS_DEFAULT,
                                              PQSHOW_CONTEXT_NEVER);
  if (message == nullptr) return;
  on_notice(absl::StripTrailingAsciiWhitespace(message));
  PQfreemem(message);
}

}  // namespace

// On the heap: libpq holds a pointer to on_notice.
struct PgConnection::State {
  PgConnPtr conn;
  const Interrupt* interrupt = nullptr;
  absl::Duration statement_timeout;
  std::function<void(absl::string_view)> on_notice;
  bool broken = false;

  absl::Status Wait(short events, absl::Time deadline) const {
    const bool encrypted =
        PQsslInUse(conn.get()) != 0 || PQgssEncInUse(conn.get()) != 0;
    return WaitForSocket(
        PQsocket(conn.get()), events,
        {.deadline = deadline,
         .interrupt = interrupt,
         .at_most = encrypted ? kEncryptedInterval : absl::InfiniteDuration()});
  }
};

PgConnection::PgConnection(std::unique_ptr<State> state)
    : state_(std::move(state)) {}
PgConnection::PgConnection(PgConnection&&) noexcept = default;
PgConnection& PgConnection::operator=(PgConnection&&) noexcept = default;
PgConnection::~PgConnection() = default;

absl::StatusOr<PgConnection> PgConnection::Open(
    const PgConnectOptions& options) {
  auto state = std::make_unique<State>();
  state->interrupt = options.interrupt;
  state->statement_timeout = options.statement_timeout;
  state->on_notice = options.on_notice;
  ASSIGN_OR_RETURN(
      state->conn,
      Connect(options, {.call = &OnNotice, .argument = &state->on_notice}));
  return PgConnection(std::move(state));
}

absl::StatusOr<PgResult> PgConnection::Exec(const std::string& sql) {
  const absl::Time deadline = DeadlineAfter(state_->statement_timeout);
  RETURN_IF_ERROR(SendQuery(*this, sql));
  PgResult result;
  RETURN_IF_ERROR(AwaitEnd(*this, deadline, &result));
  return result;
}

absl::StatusOr<PgResult> PgConnection::ExecParams(
    const std::string& sql,
    absl::Span<const std::optional<std::string>> params) {
  if (broken()) return absl::UnavailableError("the connection is gone");
  const absl::Time deadline = DeadlineAfter(state_->statement_timeout);
  std::vector<const char*> values;
  values.reserve(params.size());
  for (const std::optional<std::string>& param : params) {
    if (param.has_value() && absl::StrContains(*param, '\0')) {
      return absl::InvalidArgumentError(absl::StrCat(
          "parameter $", values.size() + 1, ": text with a NUL byte"));
    }
    values.push_back(param.has_value() ? param->c_str() : nullptr);
  }
  if (PQsendQueryParams(raw(), sql.c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr,
                        /*resultFormat=*/0) == 0) {
    return SendFailure(*this);
  }
  PgResult result;
  RETURN_IF_ERROR(AwaitEnd(*this, deadline, &result));
  return result;
}

absl::StatusOr<std::string> PgConnection::QueryValue(const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult result, Exec(sql));
  if (result.rows() != 1 || result.columns() != 1) {
    return absl::InternalError(
        absl::StrCat("expected one value, got ", result.rows(), " rows of ",
                     result.columns(), " columns: ", sql));
  }
  if (result.IsNull(0, 0)) {
    return absl::InternalError(
        absl::StrCat("expected one value, got NULL: ", sql));
  }
  return std::string(result.Text(0, 0));
}

int PgConnection::server_version() const { return PQserverVersion(raw()); }

std::string PgConnection::parameter(const std::string& name) const {
  const char* value = PQparameterStatus(raw(), name.c_str());
  return value == nullptr ? "" : value;
}

int PgConnection::backend_pid() const { return PQbackendPID(raw()); }
std::string PgConnection::dbname() const { return PQdb(raw()); }
std::string PgConnection::user() const { return PQuser(raw()); }
std::string PgConnection::peer() const { return PeerOf(raw()); }

bool PgConnection::broken() const {
  return state_->broken || PQstatus(raw()) == CONNECTION_BAD;
}

bool PgConnection::in_transaction() const {
  switch (PQtransactionStatus(raw())) {
    case PQTRANS_INTRANS:
    case PQTRANS_INERROR:
      return true;
    case PQTRANS_IDLE:
    case PQTRANS_ACTIVE:
    case PQTRANS_UNKNOWN:
      return false;
  }
  return false;
}

pg_conn* PgConnection::raw() const { return state_->conn.get(); }

void PgConnection::Notice(absl::string_view text) const {
  if (state_->on_notice) state_->on_notice(text);
}
const Interrupt* PgConnection::interrupt() const { return state_->interrupt; }

absl::Duration PgConnection::statement_timeout() const {
  return state_->statement_timeout;
}

void PgConnection::MarkBroken() { state_->broken = true; }

absl::Status PgConnection::WaitReadable(absl::Time deadline) {
  return state_->Wait(POLLIN, deadline);
}

absl::Status PgConnection::WaitReadableOrWritable(absl::Time deadline) {
  return state_->Wait(POLLIN | POLLOUT, deadline);
}

}  // namespace walferry
