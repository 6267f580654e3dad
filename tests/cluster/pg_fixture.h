#ifndef TESTS_CLUSTER_PG_FIXTURE_H_
#define TESTS_CLUSTER_PG_FIXTURE_H_

// A server with a table t, for tests of the libpq layer. For
// tests/cluster/pg_*_test.cc.

#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {

// The server is started once for each suite, the table is new for each test.
class PgTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start());
  }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override {
    ASSERT_NE(server_, nullptr);
    ASSERT_OK(server_->Exec(
        "DROP TABLE IF EXISTS t; CREATE TABLE t (i int PRIMARY KEY, v text)"));
  }

  // `options.conninfo` is filled in if it is empty.
  static absl::StatusOr<PgConnection> Open(PgConnectOptions options) {
    if (options.conninfo.empty()) options.conninfo = server_->ConnInfo();
    return PgConnection::Open(options);
  }
  static absl::StatusOr<PgConnection> Open(
      const Interrupt* interrupt = nullptr) {
    return Open(PgConnectOptions{.interrupt = interrupt});
  }

  static std::string Count(absl::string_view what = "count(*)") {
    return server_->QueryValue(absl::StrCat("SELECT ", what, " FROM t"))
        .value_or("error");
  }

  // Waits until exactly one lock exists of which `condition` holds.
  static bool WaitForLock(absl::string_view condition) {
    return WaitUntil([&] {
      return server_
                 ->QueryValue(absl::StrCat(
                     "SELECT count(*) FROM pg_locks WHERE ", condition))
                 .value_or("") == "1";
    });
  }

  static inline std::unique_ptr<PgServer> server_;
};

}  // namespace walferry

#endif  // TESTS_CLUSTER_PG_FIXTURE_H_
