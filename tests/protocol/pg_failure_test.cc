#include "protocol/pg_failure.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_result.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

struct Told {
  std::string name;
  std::string libpq;
  absl::StatusCode code;
  std::string error;
  std::string sqlstate;
  std::string hint;
};

class ConnectFailureTest : public ::testing::TestWithParam<Told> {};

TEST_P(ConnectFailureTest, TellsWhoMustAct) {
  const Told& told = GetParam();
  const absl::Status status = ConnectFailure(told.libpq);
  EXPECT_THAT(status, StatusIs(told.code, told.error));
  EXPECT_EQ(SqlStateOf(status), told.sqlstate);
  EXPECT_EQ(HintOf(status), told.hint);
}

INSTANTIATE_TEST_SUITE_P(
    Messages, ConnectFailureTest,
    ::testing::ValuesIn(std::vector<Told>{
        {"Refused",
         "connection to server at \"h\" (::1), port 1 failed: Connection "
         "refused\n\tIs the server running on that host and accepting TCP/IP "
         "connections?\n",
         absl::StatusCode::kUnavailable,
         "connection to server at \"h\" (::1), port 1 failed: Connection "
         "refused",
         "", "check that the server runs and can be reached there"},
        {"WrongPassword",
         "connection to server at \"h\", port 1 failed: FATAL:  28P01: "
         "password authentication failed for user \"u\"\n"
         "LOCATION:  auth_failed, auth.c:338\n",
         absl::StatusCode::kPermissionDenied,
         "connection to server at \"h\", port 1 failed: FATAL: password "
         "authentication failed for user \"u\" (SQLSTATE 28P01)",
         "28P01",
         "check the password: in the connection string, PGPASSWORD or "
         "~/.pgpass"},
        {"StartingUpWithDetail",
         "connection to server at \"h\", port 1 failed: FATAL:  57P03: the "
         "database system is not accepting connections\n"
         "DETAIL:  Hot standby mode is disabled.\n"
         "LOCATION:  ProcessStartupPacket, postmaster.c:2376\n",
         absl::StatusCode::kUnavailable,
         "connection to server at \"h\", port 1 failed: FATAL: the database "
         "system is not accepting connections (SQLSTATE 57P03): Hot standby "
         "mode is disabled.",
         "57P03", ""},
        {"ServersHintComesFirst",
         "FATAL:  53300: too many\nHINT:  Wait a bit.\n",
         absl::StatusCode::kUnavailable, "FATAL: too many (SQLSTATE 53300)",
         "53300", "Wait a bit."},
        {"TheLastOfSeveralHosts",
         "connection to server at \"a\", port 1 failed: Connection refused\n"
         "connection to server at \"b\", port 1 failed: FATAL:  3D000: "
         "database \"d\" does not exist\nLOCATION:  InitPostgres, "
         "postinit.c:1\n",
         absl::StatusCode::kNotFound,
         "connection to server at \"a\", port 1 failed: Connection refused; "
         "connection to server at \"b\", port 1 failed: FATAL: database \"d\" "
         "does not exist (SQLSTATE 3D000)",
         "3D000", "create the database, or name one that exists"},
        {"NoPassword",
         "connection to server at \"h\", port 1 failed: fe_sendauth: no "
         "password supplied\n",
         absl::StatusCode::kPermissionDenied,
         "connection to server at \"h\", port 1 failed: fe_sendauth: no "
         "password supplied",
         "",
         "check the password: in the connection string, PGPASSWORD or "
         "~/.pgpass"},
        {"NoTls",
         "connection to server at \"h\", port 1 failed: server does not "
         "support SSL, but SSL was required\n",
         absl::StatusCode::kFailedPrecondition,
         "connection to server at \"h\", port 1 failed: server does not "
         "support SSL, but SSL was required",
         "", "switch TLS on at the server, or choose another sslmode"},
        {"NotPostgres",
         "connection to server at \"h\", port 1 failed: received invalid "
         "response to SSL negotiation: H\n",
         absl::StatusCode::kFailedPrecondition,
         "connection to server at \"h\", port 1 failed: received invalid "
         "response to SSL negotiation: H",
         "", "is this the port of a PostgreSQL server?"},
    }),
    [](const auto& test) { return test.param.name; });

TEST(LinkFailure, IsDataLossOnlyIfTheProtocolWasBroken) {
  EXPECT_THAT(
      LinkFailure("server closed the connection unexpectedly\n\tThis probably "
                  "means the server terminated abnormally\n\tbefore or while "
                  "processing the request.\n"),
      StatusIs(absl::StatusCode::kUnavailable,
               "server closed the connection unexpectedly This probably means "
               "the server terminated abnormally before or while processing "
               "the request."));
  EXPECT_THAT(LinkFailure("lost synchronization with server: got message type "
                          "\"x\", length 1\n"),
              StatusIs(absl::StatusCode::kDataLoss,
                       "lost synchronization with server: got message type "
                       "\"x\", length 1"));
  EXPECT_THAT(LinkFailure(""),
              StatusIs(absl::StatusCode::kUnavailable,
                       "connection failure without a message"));
}

TEST(StatusCodeForSqlState, FollowsWhoMustAct) {
  const std::vector<std::pair<std::string, absl::StatusCode>> kExpected = {
      {"", absl::StatusCode::kUnavailable},
      {"08006", absl::StatusCode::kUnavailable},
      {"08P01", absl::StatusCode::kFailedPrecondition},
      {"0A000", absl::StatusCode::kFailedPrecondition},
      {"22P02", absl::StatusCode::kInvalidArgument},
      {"23505", absl::StatusCode::kFailedPrecondition},
      {"25P02", absl::StatusCode::kAborted},
      {"25P03", absl::StatusCode::kUnavailable},
      {"25006", absl::StatusCode::kFailedPrecondition},
      {"28000", absl::StatusCode::kPermissionDenied},
      {"3D000", absl::StatusCode::kNotFound},
      {"40001", absl::StatusCode::kAborted},
      {"40P01", absl::StatusCode::kAborted},
      {"42501", absl::StatusCode::kPermissionDenied},
      {"42601", absl::StatusCode::kInvalidArgument},
      {"42704", absl::StatusCode::kNotFound},
      {"42P01", absl::StatusCode::kNotFound},
      {"42710", absl::StatusCode::kAlreadyExists},
      {"42P07", absl::StatusCode::kAlreadyExists},
      {"53100", absl::StatusCode::kResourceExhausted},
      {"53300", absl::StatusCode::kUnavailable},
      {"55006", absl::StatusCode::kUnavailable},
      {"55P03", absl::StatusCode::kAborted},
      {"57014", absl::StatusCode::kAborted},
      {"57P01", absl::StatusCode::kUnavailable},
      {"57P03", absl::StatusCode::kUnavailable},
      {"57P04", absl::StatusCode::kNotFound},
      {"58P01", absl::StatusCode::kFailedPrecondition},
      {"P0001", absl::StatusCode::kFailedPrecondition},
      {"XX000", absl::StatusCode::kFailedPrecondition},
      {"XX001", absl::StatusCode::kDataLoss},
  };
  for (const auto& [sqlstate, code] : kExpected) {
    EXPECT_EQ(StatusCodeForSqlState(sqlstate), code) << sqlstate;
  }
}

}  // namespace
}  // namespace walferry
