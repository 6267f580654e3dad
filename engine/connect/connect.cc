#include "engine/connect/connect.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::StatusOr<PgConnection> Named(absl::StatusOr<PgConnection> connection,
                                   absl::string_view side) {
  if (!connection.ok()) return Annotate(connection.status(), side);
  return connection;
}

absl::StatusOr<PgConnection> Reached(absl::StatusOr<PgConnection> connection,
                                     Contact contact) {
  const absl::Status& status = connection.status();
  const bool unanswered =
      absl::IsUnavailable(status) && SqlStateOf(status).empty();
  if (contact == Contact::kAgain || !unanswered) return connection;
  return WithHint(absl::FailedPreconditionError(status.message()),
                  HintOf(status));
}

}  // namespace

PgConnectOptions Connector::SourceOptions(absl::string_view role) const {
  return PgConnectOptions{
      .conninfo = endpoints.source,
      .application_name = absl::StrCat("walferry ", endpoints.name, ": ", role),
      .settings = {{"default_transaction_read_only", "off"},
                   {"datestyle", "ISO"},
                   {"intervalstyle", "postgres"},
                   {"extra_float_digits", "3"},
                   {"lc_monetary", "C"},
                   {"quote_all_identifiers", "off"},
                   {"statement_timeout", "0"},
                   {"lock_timeout", "0"},
                   {"idle_in_transaction_session_timeout", "0"},
                   // A session that lost us must not hold its locks for hours.
                   {"tcp_keepalives_idle", "10"},
                   {"tcp_keepalives_interval", "5"},
                   {"tcp_keepalives_count", "3"}},
      .connect_timeout = endpoints.connect_timeout,
      .interrupt = interrupt,
  };
}

PgConnectOptions Connector::TargetOptions(absl::string_view role) const {
  PgConnectOptions options = SourceOptions(role);
  options.conninfo = endpoints.target;
  options.settings.emplace_back("client_min_messages", "warning");
  return options;
}

absl::StatusOr<PgConnection> Connector::OpenSource(absl::string_view role,
                                                   Contact contact) const {
  PgConnectOptions options = SourceOptions(role);
  // Even the size of a table needs its lock. Behind a TRUNCATE that waits for
  // the copy's own lock we would wait for ourselves, and the server cannot see
  // it: the attempt ends, its locks are free, and the next one goes on.
  options.settings.emplace_back("lock_timeout", "3s");
  return Reached(Named(PgConnection::Open(options), "source"), contact);
}

absl::StatusOr<PgConnection> Connector::OpenTarget(absl::string_view role,
                                                   Contact contact) const {
  return Reached(Named(PgConnection::Open(TargetOptions(role)), "target"),
                 contact);
}

absl::StatusOr<PgConnection> Connector::OpenWalsender(
    absl::string_view client_encoding) const {
  PgConnectOptions options = SourceOptions("stream");
  options.replication = true;
  options.client_encoding = std::string(client_encoding);
  return Named(PgConnection::Open(options), "source (replication)");
}

}  // namespace walferry
