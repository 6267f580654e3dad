#ifndef PROTOCOL_PG_CONNECTION_H_
#define PROTOCOL_PG_CONNECTION_H_

// A connection to one PostgreSQL server.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pg_result.h"

struct pg_conn;

namespace walferry {

struct PgConnectOptions {
  // Any libpq connection string: URI or keywords, service, passfile, TLS. May
  // hold a password: it is never repeated in an error or a log.
  std::string conninfo;

  // If not empty, replaces the connection string's database.
  std::string dbname;

  // Open a walsender connection (replication=database): only the simple query
  // protocol and replication commands work on it.
  bool replication = false;

  std::string application_name = "walferry";

  // client_encoding; "" leaves the server's choice.
  std::string client_encoding;

  // Sent in the startup packet, so they beat ALTER ROLE/DATABASE ... SET.
  std::vector<std::pair<std::string, std::string>> settings;

  absl::Duration connect_timeout = absl::Seconds(10);

  // Bound of every statement that is not told otherwise; a COPY or a stream
  // is bounded per wait, not as a whole.
  absl::Duration statement_timeout = absl::InfiniteDuration();

  // Ends every wait; may be null; outlives the connection.
  const Interrupt* interrupt = nullptr;

  // Receives the server's notices and warnings, without a final newline; may
  // be empty (then they are dropped; client_min_messages decides what comes).
  std::function<void(absl::string_view)> on_notice;
};

// Closed when destroyed. Movable, not copyable. libpq runs non-blocking
// underneath: every wait ends by its deadline (kDeadlineExceeded) or by the
// interrupt (kCancelled), and both send a cancel request and leave the
// connection unusable (`broken()`).
class PgConnection {
 public:
  // Connects and waits until the server accepts or refuses. kUnavailable: not
  // reached or not ready; kPermissionDenied: refused (password, pg_hba.conf,
  // role); kInvalidArgument: the connection string is bad; kNotFound: no such
  // database. connect_timeout is each host's, unless the string has one of its
  // own; looking up host names is not bounded by it, nor ended by the interrupt.
  static absl::StatusOr<PgConnection> Open(const PgConnectOptions& options);

  PgConnection(PgConnection&&) noexcept;
  PgConnection& operator=(PgConnection&&) noexcept;
  ~PgConnection();

  // Runs one statement, or several divided by semicolons, by the simple query
  // protocol. The result is the last statement's. A failure carries SQLSTATE
  // and the server's message.
  absl::StatusOr<PgResult> Exec(const std::string& sql);

  // One statement with text parameters ($1 ...; nullopt is NULL), types
  // inferred by the server.
  absl::StatusOr<PgResult> ExecParams(
      const std::string& sql,
      absl::Span<const std::optional<std::string>> params);

  // Like Exec, and the result must have exactly one row and one column, not
  // NULL: its text.
  absl::StatusOr<std::string> QueryValue(const std::string& sql);

  // Of the server: 150004 for 15.4.
  int server_version() const;
  // A ParameterStatus such as "server_encoding", or "".
  std::string parameter(const std::string& name) const;
  // Of the server's process.
  int backend_pid() const;
  std::string dbname() const;
  std::string user() const;
  // "host:port" or the socket's path; never a password.
  std::string peer() const;

  // The link is gone or was given up: open a new one.
  bool broken() const;
  // Inside a transaction block, also a failed one.
  bool in_transaction() const;

  // For the other files of protocol_pg.
  pg_conn* raw() const;
  const Interrupt* interrupt() const;
  absl::Duration statement_timeout() const;
  void MarkBroken();
  // A notice that libpq did not see.
  void Notice(absl::string_view text) const;

  // Waits until the socket is readable (or writable, if asked), at most until
  // `deadline`. kDeadlineExceeded or kCancelled otherwise; marks nothing.
  absl::Status WaitReadable(absl::Time deadline);
  absl::Status WaitReadableOrWritable(absl::Time deadline);

 private:
  struct State;
  explicit PgConnection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What a connection string says, for messages and for child processes:
// keywords with values, defaults and service files resolved, without password.
// kInvalidArgument names what is wrong with the string, never its password.
struct ConnInfoParts {
  std::string host, port, dbname, user;
  // All settings but the password as one keyword/value string, quoted; fit for
  // a command line of a child process.
  std::string without_password;
  // Goes into the child's environment as PGPASSWORD; may be empty.
  std::string password;
};
absl::StatusOr<ConnInfoParts> ParseConnInfo(const std::string& conninfo);

// The connection string of another database of the same server: what is not
// the database stays as it was given, password and service included, so that it
// is no more fit to be shown. Errors as above.
absl::StatusOr<std::string> ConnInfoOfDatabase(const std::string& conninfo,
                                               absl::string_view dbname);

}  // namespace walferry

#endif  // PROTOCOL_PG_CONNECTION_H_
