#include "protocol/pg_connect.h"

#include <libpq-fe.h>
#include <poll.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "protocol/pg_conninfo.h"
#include "protocol/pg_failure.h"
#include "protocol/pg_wait.h"
#include "protocol/status.h"

namespace walferry {
namespace {

using KeywordValues = std::vector<std::pair<std::string, std::string>>;

// One "-c name=value" of the startup packet's options, where the server
// divides at spaces and takes a backslash as an escape.
std::string StartupOption(absl::string_view name, absl::string_view value) {
  std::string option = "-c ";
  for (char c : absl::StrCat(name, "=", value)) {
    if (c == ' ' || c == '\\' || c == '\t' || c == '\n') option += '\\';
    option += c;
  }
  return option;
}

// A dead peer is noticed within a minute, unless the user wants otherwise.
// TCP_USER_TIMEOUT also ends a link whose peer is alive but does not read,
// as a server does while a statement runs or waits for a lock. So only
// walsenders get it, to which we send next to nothing.
void AddLiveness(const ResolvedConnInfo& resolved, bool replication,
                 KeywordValues& settings) {
  if (!resolved.IsSet("keepalives_idle") &&
      !resolved.IsSet("keepalives_interval") &&
      !resolved.IsSet("keepalives_count")) {
    settings.emplace_back("keepalives_idle", "30");
    settings.emplace_back("keepalives_interval", "10");
    settings.emplace_back("keepalives_count", "3");
  }
  if (replication && !resolved.IsSet("tcp_user_timeout")) {
    settings.emplace_back("tcp_user_timeout", "60000");
  }
}

// What is laid over the connection string.
KeywordValues Overrides(const PgConnectOptions& options,
                        const ResolvedConnInfo& resolved) {
  KeywordValues settings;
  std::vector<std::string> startup;
  if (resolved.IsSet("options")) startup.push_back(resolved.Value("options"));
  for (const auto& [name, value] : options.settings) {
    startup.push_back(StartupOption(name, value));
  }
  if (!startup.empty()) {
    settings.emplace_back("options", absl::StrJoin(startup, " "));
  }
  settings.emplace_back("fallback_application_name", options.application_name);
  if (!options.client_encoding.empty()) {
    settings.emplace_back("client_encoding", options.client_encoding);
  }
  if (options.replication) settings.emplace_back("replication", "database");
  AddLiveness(resolved, options.replication, settings);
  return settings;
}

// The hosts that libpq is to try in turn, with hostaddr and port where given.
class HostList {
 public:
  explicit HostList(const ResolvedConnInfo& resolved)
      : hosts_(Split(resolved.Value("host"))),
        addresses_(Split(resolved.Value("hostaddr"))),
        ports_(Split(resolved.Value("port"))) {}

  size_t size() const { return std::max(hosts_.size(), addresses_.size()); }

  // Takes out the one that `conn` was busy with.
  void Remove(const PGconn* conn) {
    const absl::string_view host = PQhost(conn);
    const absl::string_view port = PQport(conn);
    for (size_t i = 0; i < size(); ++i) {
      if (host != NameAt(i) || port != PortAt(i)) continue;
      RemoveAt(i);
      return;
    }
    RemoveAt(0);
  }

  void AddTo(KeywordValues& settings) const {
    if (!hosts_.empty()) {
      settings.emplace_back("host", absl::StrJoin(hosts_, ","));
    }
    if (!addresses_.empty()) {
      settings.emplace_back("hostaddr", absl::StrJoin(addresses_, ","));
    }
    settings.emplace_back("port", absl::StrJoin(ports_, ","));
  }

 private:
  static std::vector<std::string> Split(const std::string& list) {
    if (list.empty()) return {};
    return absl::StrSplit(list, ',');
  }

  absl::string_view NameAt(size_t i) const {
    if (i < hosts_.size() && !hosts_[i].empty()) return hosts_[i];
    return i < addresses_.size() ? addresses_[i] : absl::string_view();
  }

  absl::string_view PortAt(size_t i) const {
    if (ports_.empty()) return {};
    return ports_.size() == 1 ? ports_[0] : ports_[i];
  }

  void RemoveAt(size_t i) {
    const auto at = static_cast<std::ptrdiff_t>(i);
    if (i < hosts_.size()) hosts_.erase(hosts_.begin() + at);
    if (i < addresses_.size()) addresses_.erase(addresses_.begin() + at);
    if (ports_.size() > 1) ports_.erase(ports_.begin() + at);
  }

  std::vector<std::string> hosts_;
  std::vector<std::string> addresses_;
  std::vector<std::string> ports_;
};

PgConnPtr StartConnecting(const PgConnectOptions& options,
                          const KeywordValues& settings) {
  std::vector<const char*> keywords = {"dbname"};
  std::vector<const char*> values = {options.conninfo.c_str()};
  for (const auto& [keyword, value] : settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  // libpq expands the first dbname only; a later one is a plain name.
  if (!options.dbname.empty()) {
    keywords.push_back("dbname");
    values.push_back(options.dbname.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  return PgConnPtr(PQconnectStartParams(keywords.data(), values.data(),
                                        /*expand_dbname=*/1));
}

// Drives the connection until it stands or has failed. kDeadlineExceeded: one
// host took longer than `timeout`.
absl::Status Drive(PGconn* conn, absl::Duration timeout,
                   const Interrupt* interrupt) {
  std::string peer = PeerOf(conn);
  absl::Time deadline = DeadlineAfter(timeout);
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (next == PGRES_POLLING_READING || next == PGRES_POLLING_WRITING) {
    const short events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    RETURN_IF_ERROR(
        WaitForSocket(PQsocket(conn), events,
                      {.deadline = deadline, .interrupt = interrupt}));
    next = PQconnectPoll(conn);
    if (std::string now = PeerOf(conn); now != peer) {
      peer = std::move(now);
      deadline = DeadlineAfter(timeout);
    }
  }
  return absl::OkStatus();
}

absl::Duration HostTimeout(const PgConnectOptions& options,
                           const ResolvedConnInfo& resolved) {
  int seconds = 0;
  if (absl::SimpleAtoi(resolved.Value("connect_timeout"), &seconds) &&
      seconds > 0) {
    return absl::Seconds(seconds);
  }
  return options.connect_timeout;
}

}  // namespace

void ClosePgConn::operator()(pg_conn* conn) const { PQfinish(conn); }

absl::StatusOr<PgConnPtr> Connect(const PgConnectOptions& options,
                                  NoticeReceiver on_notice) {
  ASSIGN_OR_RETURN(const ResolvedConnInfo resolved,
                   ResolvedConnInfo::Of(options.conninfo));
  const KeywordValues overrides = Overrides(options, resolved);
  const absl::Duration timeout = HostTimeout(options, resolved);
  HostList hosts(resolved);
  const bool many = hosts.size() > 1;
  std::string silent;  // The hosts that did not answer, and that they did not.
  while (true) {
    KeywordValues settings = overrides;
    if (many) hosts.AddTo(settings);
    PgConnPtr conn = StartConnecting(options, settings);
    if (conn == nullptr) return absl::ResourceExhaustedError("out of memory");
    PQsetErrorVerbosity(conn.get(), PQERRORS_VERBOSE);
    PQsetNoticeReceiver(conn.get(), on_notice.call, on_notice.argument);
    absl::Status driven = absl::OkStatus();
    if (PQstatus(conn.get()) != CONNECTION_BAD) {
      driven = Drive(conn.get(), timeout, options.interrupt);
    }
    if (absl::IsDeadlineExceeded(driven)) {
      absl::StrAppend(&silent, silent.empty() ? "" : "; ",
                      "connection to server at ", PeerOf(conn.get()),
                      " failed: no answer within ",
                      absl::FormatDuration(timeout));
      hosts.Remove(conn.get());
      if (hosts.size() > 0) continue;
      return absl::UnavailableError(silent);
    }
    RETURN_IF_ERROR(driven);
    if (PQstatus(conn.get()) != CONNECTION_OK) {
      absl::Status failure = ConnectFailure(PQerrorMessage(conn.get()));
      return silent.empty() ? failure : Annotate(failure, silent);
    }
    PQsetErrorVerbosity(conn.get(), PQERRORS_DEFAULT);
    if (PQsetnonblocking(conn.get(), 1) != 0) {
      return LinkFailure(PQerrorMessage(conn.get()));
    }
    return conn;
  }
}

std::string PeerOf(const pg_conn* conn) {
  const absl::string_view host = PQhost(conn);
  const absl::string_view port = PQport(conn);
  if (absl::StartsWith(host, "/") || absl::StartsWith(host, "@")) {
    return absl::StrCat(host, "/.s.PGSQL.", port);
  }
  if (absl::StrContains(host, ':')) return absl::StrCat("[", host, "]:", port);
  return absl::StrCat(host, ":", port);
}

}  // namespace walferry
