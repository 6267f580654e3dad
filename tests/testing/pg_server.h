#ifndef TESTS_TESTING_PG_SERVER_H_
#define TESTS_TESTING_PG_SERVER_H_

// A throwaway PostgreSQL server for a test.
//
//   ASSERT_OK_AND_ASSIGN(auto server, PgServer::Start());
//   ASSERT_OK(server->Exec("CREATE DATABASE app"));
//   ASSERT_OK(server->Exec("CREATE TABLE t (i int)", "app"));
//   Run(server->ConnInfo("app"));
//
// The servers of one test differ in their system identifiers.

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/testing/child_process.h"
#include "tests/testing/server_watchdog.h"
#include "tests/testing/sql.h"
#include "tests/testing/temp_dir.h"

namespace walferry {

struct PgServerOptions {
  // The folder of initdb and postgres; empty: TestServerBinDirs().front().
  std::string bin_dir;

  // Lines of postgresql.conf, values unquoted. They beat the harness's own:
  // wal_level logical, 20 senders, 20 slots, fsync off.
  std::vector<std::pair<std::string, std::string>> settings;

  std::vector<std::string> initdb_arguments = {"--locale=C", "--encoding=UTF8"};

  // Not empty: the password of user postgres, and all connections need
  // scram-sha-256. Empty: trust.
  std::string password;

  // Also takes encrypted connections: sslmode=require in what ConnInfo() gives.
  bool tls = false;
};

enum class StopMode { kFast, kImmediate };

// Listens on a free port of 127.0.0.1 and on nothing else; the superuser is
// postgres. Runs as the user postgres where we are root. Ends, and its files
// vanish, when the object is destroyed or the test process dies.
class PgServer {
 public:
  // Returns when the server accepts connections.
  static absl::StatusOr<std::unique_ptr<PgServer>> Start(
      const PgServerOptions& options = {});
  // Returns when the standby of `primary` accepts connections. It has the
  // primary's options and, as an exception, its system identifier. The primary
  // is restarted on the way.
  static absl::StatusOr<std::unique_ptr<PgServer>> StartStandby(
      PgServer& primary);
  ~PgServer();

  // Like pg_ctl stop. kDeadlineExceeded: the server still runs, e.g. because
  // a walsender waits for its client.
  absl::Status Stop(StopMode mode = StopMode::kFast);

  // SIGKILL to all of the server's processes at once, as when the machine
  // loses its power (but what was written is still there).
  absl::Status Kill9();

  // Stops the server if it runs, and starts it again on the same port.
  absl::Status Restart();

  // libpq URIs for user postgres (with the password, if there is one), ...
  std::string ConnInfo(absl::string_view dbname = "postgres") const;
  // ... for the same server behind a proxy on another port of 127.0.0.1, ...
  std::string ConnInfoVia(int port,
                          absl::string_view dbname = "postgres") const;
  // ... and for another user; an empty password is left out.
  std::string ConnInfoAs(absl::string_view user, absl::string_view password,
                         absl::string_view dbname = "postgres") const;

  // Each on a connection of its own.
  absl::Status Exec(const std::string& sql,
                    absl::string_view dbname = "postgres") const;
  absl::StatusOr<SqlRows> Query(const std::string& sql,
                                absl::string_view dbname = "postgres") const;
  absl::StatusOr<std::string> QueryValue(
      const std::string& sql, absl::string_view dbname = "postgres") const;

  int port() const { return port_; }
  int major_version() const { return major_version_; }
  pid_t postmaster_pid() const;

  // All that the server has logged so far.
  std::string Log() const;

 private:
  PgServer(PgServerOptions options, std::string user, TempDir directory,
           ServerWatchdog watchdog);

  // Not started, and without a data directory.
  static absl::StatusOr<std::unique_ptr<PgServer>> Create(
      const PgServerOptions& options);

  std::string data_directory() const { return directory_.path() + "/data"; }
  std::string log_path() const { return directory_.path() + "/log"; }
  std::string Uri(absl::string_view user, absl::string_view password, int port,
                  absl::string_view dbname) const;

  absl::Status MakeCluster() const;
  absl::Status InitDb(const std::string& directory) const;
  absl::Status WriteSettings() const;
  absl::Status WriteCertificate() const;
  // Tries one port after another until the server could bind one.
  absl::Status LaunchOnFreePort();
  // kAlreadyExists: the port is taken.
  absl::Status Launch();
  bool Ready() const;
  absl::Status WhyItEnded(absl::string_view log) const;

  const PgServerOptions options_;
  const std::string user_;
  int port_ = 0;
  int major_version_ = 0;
  TempDir directory_;
  ServerWatchdog watchdog_;
  std::optional<ChildProcess> postmaster_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_PG_SERVER_H_
