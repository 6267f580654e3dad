#include "protocol/pg_connection.h"

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr char kPassword[] = "top secret";

class PgConnectionTest : public ::testing::Test {
 protected:
  // One server for all: no test changes it for the others.
  static void SetUpTestSuite() {
    auto server = PgServer::Start({.password = kPassword});
    ASSERT_OK(server);
    server_ = std::move(*server).release();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }

  static absl::StatusOr<PgConnection> Open(PgConnectOptions options = {}) {
    if (options.conninfo.empty()) options.conninfo = server_->ConnInfo();
    return PgConnection::Open(options);
  }

  // Waits until `count` statements that match `pattern` run on the server.
  static bool WaitUntilActive(absl::string_view pattern,
                              absl::string_view count) {
    return WaitUntil([&] {
      return server_
                 ->QueryValue(absl::StrCat(
                     "SELECT count(*) FROM pg_stat_activity WHERE state = "
                     "'active' AND pid <> pg_backend_pid() AND query LIKE '",
                     pattern, "'"))
                 .value_or("") == count;
    });
  }

  static PgServer* server_;
};

PgServer* PgConnectionTest::server_ = nullptr;

TEST_F(PgConnectionTest, KnowsItsServer) {
  ASSERT_OK_AND_ASSIGN(const PgConnection connection, Open());
  EXPECT_EQ(connection.server_version() / 10000, server_->major_version());
  EXPECT_EQ(connection.dbname(), "postgres");
  EXPECT_EQ(connection.user(), "postgres");
  EXPECT_EQ(connection.peer(), absl::StrCat("127.0.0.1:", server_->port()));
  EXPECT_EQ(connection.parameter("server_encoding"), "UTF8");
  EXPECT_EQ(connection.parameter("no_such"), "");
  EXPECT_GT(connection.backend_pid(), 0);
  EXPECT_FALSE(connection.broken());
  EXPECT_FALSE(connection.in_transaction());
}

TEST_F(PgConnectionTest, SendsItsSettingsAtStartup) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection connection,
      Open({.client_encoding = "LATIN1",
            .settings = {{"datestyle", "SQL, DMY"},
                         {"search_path", "\"a b\", \"c\\d\""}}}));
  EXPECT_THAT(connection.QueryValue("SHOW datestyle"),
              IsOkAndHolds(std::string("SQL, DMY")));
  EXPECT_THAT(connection.QueryValue("SHOW search_path"),
              IsOkAndHolds(std::string("\"a b\", \"c\\d\"")));
  EXPECT_THAT(connection.QueryValue("SHOW client_encoding"),
              IsOkAndHolds(std::string("LATIN1")));
  EXPECT_THAT(connection.QueryValue("SHOW application_name"),
              IsOkAndHolds(std::string("walferry")));
}

TEST_F(PgConnectionTest, KeepsWhatTheConnectionStringSays) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection connection,
      Open({.conninfo = absl::StrCat(
                server_->ConnInfo(),
                "?application_name=mine&options=-c%20work_mem%3D3MB%20-c%20"
                "datestyle%3DGerman"),
            .settings = {{"datestyle", "ISO"}}}));
  EXPECT_THAT(connection.QueryValue("SHOW application_name"),
              IsOkAndHolds(std::string("mine")));
  EXPECT_THAT(connection.QueryValue("SHOW work_mem"),
              IsOkAndHolds(std::string("3MB")));
  EXPECT_THAT(connection.QueryValue("SHOW datestyle"),
              IsOkAndHolds(std::string("ISO, DMY")));
}

TEST_F(PgConnectionTest, TakesAnotherDatabaseThanTheStringSays) {
  ASSERT_OK(server_->Exec("CREATE DATABASE \"host=x it's\""));
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.dbname = "host=x it's"}));
  EXPECT_EQ(connection.dbname(), "host=x it's");
  EXPECT_THAT(connection.QueryValue("SELECT current_database()"),
              IsOkAndHolds(std::string("host=x it's")));
}

TEST_F(PgConnectionTest, IsRefusedForAWrongPassword) {
  const absl::Status status =
      Open({.conninfo = server_->ConnInfoAs("postgres", "wrong-one")}).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kPermissionDenied,
                       absl::StrCat("connection to server at \"127.0.0.1\", "
                                    "port ",
                                    server_->port(),
                                    " failed: FATAL: password authentication "
                                    "failed for user \"postgres\" (SQLSTATE "
                                    "28P01)")));
  EXPECT_EQ(SqlStateOf(status), "28P01");
  EXPECT_EQ(HintOf(status),
            "check the password: in the connection string, PGPASSWORD or "
            "~/.pgpass");
}

TEST_F(PgConnectionTest, IsRefusedForAMissingDatabase) {
  const absl::Status status = Open({.dbname = "nowhere"}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               absl::StrCat("connection to server at "
                                            "\"127.0.0.1\", port ",
                                            server_->port(),
                                            " failed: FATAL: database "
                                            "\"nowhere\" does not exist "
                                            "(SQLSTATE 3D000)")));
}

TEST_F(PgConnectionTest, IsRefusedForABadSetting) {
  EXPECT_THAT(
      Open({.settings = {{"work_mem", "lots"}}}).status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               absl::StrCat("connection to server at \"127.0.0.1\", port ",
                            server_->port(),
                            " failed: FATAL: invalid value for parameter "
                            "\"work_mem\": \"lots\" (SQLSTATE 22023)")));
}

TEST_F(PgConnectionTest, IsRefusedByAFullServer) {
  ASSERT_OK(
      server_->Exec("CREATE ROLE lonely LOGIN CONNECTION LIMIT 1 "
                    "PASSWORD 'x'"));
  const std::string conninfo = server_->ConnInfoAs("lonely", "x");
  ASSERT_OK_AND_ASSIGN(const PgConnection first, Open({.conninfo = conninfo}));
  EXPECT_THAT(
      Open({.conninfo = conninfo}).status(),
      StatusIs(absl::StatusCode::kUnavailable,
               absl::StrCat("connection to server at \"127.0.0.1\", port ",
                            server_->port(),
                            " failed: FATAL: too many connections for role "
                            "\"lonely\" (SQLSTATE 53300)")));
}

TEST_F(PgConnectionTest, TriesTheNextHost) {
  const std::string conninfo = absl::StrCat(
      "host=127.0.0.1,127.0.0.1 port=1,", server_->port(),
      " user=postgres dbname=postgres target_session_attrs=primary password='",
      kPassword, "'");
  ASSERT_OK_AND_ASSIGN(const PgConnection connection,
                       Open({.conninfo = conninfo}));
  EXPECT_EQ(connection.peer(), absl::StrCat("127.0.0.1:", server_->port()));
  const absl::Status standby =
      Open(
          {.conninfo = absl::StrCat(conninfo, " target_session_attrs=standby")})
          .status();
  EXPECT_THAT(standby, StatusIs(absl::StatusCode::kUnavailable,
                                HasSubstr("server is not in hot standby "
                                          "mode")));
}

TEST_F(PgConnectionTest, GivesRowsAndTypedValues) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(
      const PgResult result,
      connection.Exec("SELECT 7, NULL, '16/B374D848'::pg_lsn, true, '', 'x'"));
  EXPECT_EQ(result.rows(), 1);
  EXPECT_EQ(result.columns(), 6);
  EXPECT_THAT(result.Int64(0, 0), IsOkAndHolds(7));
  EXPECT_TRUE(result.IsNull(0, 1));
  EXPECT_FALSE(result.Bool(0, 1));
  EXPECT_THAT(result.LsnAt(0, 2), IsOkAndHolds(Lsn(0x16'B374D848)));
  EXPECT_TRUE(result.Bool(0, 3));
  EXPECT_FALSE(result.IsNull(0, 4));
  EXPECT_EQ(result.Text(0, 5), "x");
  EXPECT_THAT(result.Int64(0, 1),
              StatusIs(absl::StatusCode::kInternal,
                       "row 0, column 1: not an integer: \"\""));
  EXPECT_THAT(result.LsnAt(0, 5), StatusIs(absl::StatusCode::kInternal,
                                           "row 0, column 5: not an LSN: "
                                           "\"x\""));
  EXPECT_EQ(result.command_tag(), "SELECT 1");
  EXPECT_EQ(PgResult().rows(), 0);
  EXPECT_EQ(PgResult().affected_rows(), 0);
}

TEST_F(PgConnectionTest, RunsSeveralStatementsAndGivesTheLastResult) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(
      const PgResult result,
      connection.Exec("CREATE TEMP TABLE t (i int); INSERT INTO t VALUES (1), "
                      "(2); UPDATE t SET i = 3"));
  EXPECT_EQ(result.command_tag(), "UPDATE 2");
  EXPECT_EQ(result.affected_rows(), 2);
  EXPECT_THAT(connection.Exec("DELETE FROM t; SELECT 1/0; SELECT 1").status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "division by zero (SQLSTATE 22012)"));
  EXPECT_THAT(connection.QueryValue("SELECT count(*) FROM t"),
              IsOkAndHolds(std::string("2")));
}

TEST_F(PgConnectionTest, PassesParametersAsText) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(
      const PgResult result,
      connection.ExecParams("SELECT $1::int + 1, $2::text, $3::text",
                            {"41", "it's", std::nullopt}));
  EXPECT_EQ(result.Text(0, 0), "42");
  EXPECT_EQ(result.Text(0, 1), "it's");
  EXPECT_TRUE(result.IsNull(0, 2));
  EXPECT_THAT(
      connection
          .ExecParams("SELECT $1, $2", {"1", std::string("cut\0short", 9)})
          .status(),
      StatusIs(absl::StatusCode::kInvalidArgument,
               "parameter $2: text with a NUL byte"));
}

TEST_F(PgConnectionTest, WantsExactlyOneValue) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  EXPECT_THAT(connection.QueryValue("SELECT 1, 2"),
              StatusIs(absl::StatusCode::kInternal,
                       "expected one value, got 1 rows of 2 columns: SELECT "
                       "1, 2"));
  EXPECT_THAT(connection.QueryValue("SELECT NULL"),
              StatusIs(absl::StatusCode::kInternal,
                       "expected one value, got NULL: SELECT NULL"));
}

TEST_F(PgConnectionTest, ReportsAllThatTheServerSays) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK(connection.Exec("CREATE TEMP TABLE t (i int PRIMARY KEY)"));
  ASSERT_OK(connection.Exec("INSERT INTO t VALUES (1)"));
  const absl::Status duplicate =
      connection.Exec("INSERT INTO t VALUES (1)").status();
  EXPECT_THAT(duplicate,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "duplicate key value violates unique constraint "
                       "\"t_pkey\" (SQLSTATE 23505): Key (i)=(1) already "
                       "exists."));
  EXPECT_EQ(SqlStateOf(duplicate), "23505");
  const absl::Status misspelt = connection.Exec("SELECT j FROM t").status();
  EXPECT_THAT(misspelt, StatusIs(absl::StatusCode::kNotFound,
                                 "column \"j\" does not exist (SQLSTATE "
                                 "42703)"));
  EXPECT_EQ(HintOf(connection.Exec("SELECT true + true").status()),
            "No operator matches the given name and argument types. You might "
            "need to add explicit type casts.");
}

TEST_F(PgConnectionTest, HandsNoticesOn) {
  std::vector<std::string> notices;
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.on_notice = [&](absl::string_view notice) {
                         notices.emplace_back(notice);
                       }}));
  PgConnection moved = std::move(connection);
  ASSERT_OK(moved.Exec("DROP TABLE IF EXISTS nothing"));
  EXPECT_THAT(notices, ElementsAre("NOTICE:  table \"nothing\" does not exist, "
                                   "skipping"));
}

TEST_F(PgConnectionTest, KnowsWhetherATransactionIsOpen) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK(connection.Exec("BEGIN"));
  EXPECT_TRUE(connection.in_transaction());
  EXPECT_FALSE(connection.Exec("SELECT 1/0").ok());
  EXPECT_TRUE(connection.in_transaction());
  EXPECT_THAT(connection.Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kAborted,
                       "current transaction is aborted, commands ignored until "
                       "end of transaction block (SQLSTATE 25P02)"));
  ASSERT_OK(connection.Exec("ROLLBACK"));
  EXPECT_FALSE(connection.in_transaction());
  EXPECT_FALSE(connection.broken());
}

TEST_F(PgConnectionTest, RefusesACopyInExec) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  EXPECT_THAT(connection.Exec("COPY pg_class TO STDOUT").status(),
              StatusIs(absl::StatusCode::kInternal,
                       "the statement started a COPY where rows were "
                       "expected"));
  EXPECT_TRUE(connection.broken());
  EXPECT_THAT(
      connection.Exec("SELECT 1").status(),
      StatusIs(absl::StatusCode::kUnavailable, "the connection is gone"));
}

TEST_F(PgConnectionTest, AStatementEndsByItsDeadlineAlsoOnTheServer) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.statement_timeout = absl::Milliseconds(100)}));
  const absl::Time start = absl::Now();
  EXPECT_THAT(
      connection.Exec("SELECT pg_sleep(600) AS slow").status(),
      StatusIs(absl::StatusCode::kDeadlineExceeded, "no answer in time"));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(100));
  EXPECT_TRUE(connection.broken());
  EXPECT_TRUE(WaitUntilActive("%AS slow%", "0"));
}

TEST_F(PgConnectionTest, AnInterruptEndsAStatementAlsoOnTheServer) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.interrupt = &interrupt}));
  std::thread raiser([&] {
    EXPECT_TRUE(WaitUntilActive("%AS interrupted%", "1"));
    interrupt.Raise();
  });
  EXPECT_THAT(
      connection.ExecParams("SELECT pg_sleep(600) AS interrupted", {}).status(),
      StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(connection.broken());
  EXPECT_TRUE(WaitUntilActive("%AS interrupted%", "0"));
  EXPECT_THAT(Open({.interrupt = &interrupt}).status(),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
}

TEST_F(PgConnectionTest, TellsWhenItIsTerminated) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK(connection.Exec("BEGIN"));
  EXPECT_THAT(
      connection.Exec("SELECT pg_terminate_backend(pg_backend_pid())").status(),
      StatusIs(absl::StatusCode::kUnavailable,
               "terminating connection due to administrator command "
               "(SQLSTATE 57P01)"));
  EXPECT_TRUE(connection.broken());
  EXPECT_FALSE(connection.in_transaction());
}

TEST_F(PgConnectionTest, FindsADeadServerAtTheNextStatement) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK(server_->Exec(absl::StrCat("SELECT pg_terminate_backend(",
                                       connection.backend_pid(), ", 30000)")));
  EXPECT_THAT(connection.Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       "terminating connection due to administrator command "
                       "(SQLSTATE 57P01)"));
  EXPECT_TRUE(connection.broken());
}

}  // namespace
}  // namespace walferry
