#ifndef TESTS_TESTING_PGLITE_SERVER_H_
#define TESTS_TESTING_PGLITE_SERVER_H_

// PGlite, PostgreSQL as WebAssembly, behind its socket server. In memory, and
// gone with the object.
//
//   if (PgliteServer::Missing() != "") GTEST_SKIP() << PgliteServer::Missing();
//   ASSERT_OK_AND_ASSIGN(auto pglite, PgliteServer::Start());
//   ASSERT_OK(pglite->Exec("CREATE TABLE t (i int)"));

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/testing/child_process.h"
#include "tests/testing/server_watchdog.h"
#include "tests/testing/sql.h"
#include "tests/testing/temp_dir.h"

namespace walferry {

// It takes one connection at a time, which is its own default: whoever comes
// while there is another is refused.
class PgliteServer {
 public:
  // Why it cannot be started, or "": what is to be installed.
  static std::string Missing();

  static absl::StatusOr<std::unique_ptr<PgliteServer>> Start();

  // Database and superuser are called postgres.
  std::string ConnInfo() const;

  // Each on a connection of its own, once the server lets us in.
  absl::Status Exec(const std::string& sql) const;
  absl::StatusOr<std::string> QueryValue(const std::string& sql) const;

 private:
  PgliteServer(TempDir directory, ServerWatchdog watchdog, ChildProcess node)
      : directory_(std::move(directory)),
        watchdog_(std::move(watchdog)),
        node_(std::move(node)) {}
  absl::StatusOr<SqlConnection> Connect() const;
  // Of 127.0.0.1, as it has logged it; 0 before it listens.
  int ReadPort() const;

  TempDir directory_;
  ServerWatchdog watchdog_;
  ChildProcess node_;
  int port_ = 0;
};

}  // namespace walferry

#endif  // TESTS_TESTING_PGLITE_SERVER_H_
