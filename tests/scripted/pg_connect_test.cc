#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"
#include "protocol/status.h"
#include "tests/testing/backend_message.h"
#include "tests/testing/faulty_link.h"
#include "tests/testing/free_port.h"
#include "tests/testing/scripted_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Pair;

std::string LoopbackPort(int port) {
  return absl::StrCat("host=127.0.0.1 user=u dbname=d port=", port);
}

// A port that accepts connections and is silent.
class BlackHole {
 public:
  BlackHole() {
    auto server = ScriptedServer::Start({}, Transport::kTcp);
    if (!server.ok()) return;
    server_ = *std::move(server);
    const auto parts = ParseConnInfo(server_->ConnInfo());
    int port = 0;
    if (!parts.ok() || !absl::SimpleAtoi(parts->port, &port)) return;
    auto link = FaultyLink::Start(port);
    if (!link.ok()) return;
    link_ = *std::move(link);
    link_->Freeze();
  }

  int port() const { return link_->port(); }
  int connections() const { return link_->accepted_connections(); }

 private:
  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<FaultyLink> link_;
};

absl::StatusOr<std::unique_ptr<ScriptedServer>> Greeting(
    const BackendMessages& messages) {
  return ScriptedServer::Start({Script().Greet(messages).Close()});
}

TEST(PgConnect, SaysThatNobodyListens) {
  ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const absl::Status status =
      PgConnection::Open({.conninfo = LoopbackPort(port)}).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kUnavailable,
                       absl::StrCat("connection to server at \"127.0.0.1\", "
                                    "port ",
                                    port, " failed: Connection refused")));
  EXPECT_EQ(HintOf(status),
            "check that the server runs and can be reached there");
}

TEST(PgConnect, ASilentServerEndsTheWait) {
  const BlackHole hole;
  const absl::Time start = absl::Now();
  EXPECT_THAT(
      PgConnection::Open({.conninfo = LoopbackPort(hole.port()),
                          .connect_timeout = absl::Milliseconds(200)})
          .status(),
      StatusIs(absl::StatusCode::kUnavailable,
               absl::StrCat("connection to server at 127.0.0.1:", hole.port(),
                            " failed: no answer within 200ms")));
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
}

TEST(PgConnect, TheStringsOwnTimeoutIsTheOneThatCounts) {
  const BlackHole hole;
  EXPECT_THAT(
      PgConnection::Open({.conninfo = absl::StrCat(LoopbackPort(hole.port()),
                                                   " connect_timeout=1"),
                          .connect_timeout = absl::Hours(1)})
          .status(),
      StatusIs(absl::StatusCode::kUnavailable,
               absl::StrCat("connection to server at 127.0.0.1:", hole.port(),
                            " failed: no answer within 1s")));
}

TEST(PgConnect, ASilentHostDoesNotHideTheNext) {
  const BlackHole hole;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ScriptedServer::Start({Script()}, Transport::kTcp));
  ASSERT_OK_AND_ASSIGN(const ConnInfoParts there,
                       ParseConnInfo(server->ConnInfo()));
  {
    ASSERT_OK_AND_ASSIGN(
        const PgConnection connection,
        PgConnection::Open({.conninfo = absl::StrCat(
                                "user=u dbname=d host=127.0.0.1,", there.host,
                                " port=", hole.port(), ",", there.port),
                            .connect_timeout = absl::Seconds(2)}));
    EXPECT_EQ(connection.peer(), absl::StrCat("127.0.0.1:", there.port));
  }
  EXPECT_OK(server->Finish());
}

TEST(PgConnect, NamesEveryHostThatFailed) {
  const BlackHole first;
  const BlackHole second;
  ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  EXPECT_THAT(
      PgConnection::Open(
          {.conninfo = absl::StrCat(
               "user=u dbname=d host=127.0.0.1,127.0.0.1,127.0.0.1 port=",
               first.port(), ",", port, ",", second.port()),
           .connect_timeout = absl::Milliseconds(100)})
          .status(),
      StatusIs(
          absl::StatusCode::kUnavailable,
          absl::StrCat("connection to server at 127.0.0.1:", first.port(),
                       " failed: no answer within 100ms; connection to server "
                       "at 127.0.0.1:",
                       second.port(),
                       " failed: no answer within 100ms: connection to server "
                       "at \"127.0.0.1\", port ",
                       port, " failed: Connection refused")));
}

TEST(PgConnect, AnInterruptEndsTheWait) {
  const BlackHole hole;
  Interrupt interrupt;
  std::thread raiser([&] {
    EXPECT_TRUE(WaitUntil([&] { return hole.connections() == 1; }));
    interrupt.Raise();
  });
  EXPECT_THAT(PgConnection::Open({.conninfo = LoopbackPort(hole.port()),
                                  .connect_timeout = absl::InfiniteDuration(),
                                  .interrupt = &interrupt})
                  .status(),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
}

TEST(PgConnect, TellsThatTheServerIsNotReady) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      Greeting(BackendMessages().ErrorResponse(
          "57P03", "the database system is starting up", "FATAL")));
  const absl::Status status =
      PgConnection::Open({.conninfo = server->ConnInfo()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              ::testing::EndsWith("failed: FATAL: the database system is "
                                  "starting up (SQLSTATE 57P03)"));
}

TEST(PgConnect, WantsAPassword) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      Greeting(BackendMessages().AuthenticationCleartextPassword()));
  const absl::Status status =
      PgConnection::Open(
          {.conninfo = absl::StrCat(server->ConnInfo(), "&passfile=/nowhere")})
          .status();
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(HintOf(status),
            "check the password: in the connection string, PGPASSWORD or "
            "~/.pgpass");
}

TEST(PgConnect, TellsThatItIsNoPostgres) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      Greeting(BackendMessages().Raw("HTTP/1.1 400 Bad Request\r\n\r\n")));
  const absl::Status status =
      PgConnection::Open({.conninfo = server->ConnInfo()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::EndsWith("expected authentication request from "
                                  "server, but received H"));
  EXPECT_EQ(HintOf(status), "is this the port of a PostgreSQL server?");
}

TEST(PgConnect, TellsThatTheServerHungUp) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       Greeting(BackendMessages().AuthenticationOk()));
  const absl::Status status =
      PgConnection::Open({.conninfo = server->ConnInfo()}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(status.message()),
              ::testing::EndsWith("server closed the connection "
                                  "unexpectedly"));
}

TEST(PgConnect, SaysAllAtStartup) {
  ASSERT_OK_AND_ASSIGN(const auto server, ScriptedServer::Start({Script()}));
  {
    ASSERT_OK_AND_ASSIGN(
        const PgConnection connection,
        PgConnection::Open(
            {.conninfo = server->ConnInfo("one"),
             .dbname = "two",
             .replication = true,
             .application_name = "mine",
             .client_encoding = "LATIN1",
             .settings = {{"datestyle", "ISO"}, {"search_path", "a b\\c"}}}));
  }
  EXPECT_OK(server->Finish());
  EXPECT_THAT(
      server->startup(),
      IsSupersetOf({Pair("database", "two"), Pair("replication", "database"),
                    Pair("application_name", "mine"),
                    Pair("client_encoding", "LATIN1"),
                    Pair("options",
                         "-c datestyle=ISO -c "
                         "search_path=a\\ b\\\\c")}));
}

TEST(PgConnect, HandsOnANoticeOfTheStartup) {
  std::vector<std::string> notices;
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ScriptedServer::Start({Script().Greet(
                           BackendMessages()
                               .AuthenticationOk()
                               .NoticeResponse("your password expires soon")
                               .ParameterStatus("server_version", "16.1")
                               .ReadyForQuery())}));
  ASSERT_OK_AND_ASSIGN(
      const PgConnection connection,
      PgConnection::Open({.conninfo = server->ConnInfo(),
                          .on_notice = [&](absl::string_view notice) {
                            notices.emplace_back(notice);
                          }}));
  EXPECT_EQ(connection.server_version(), 160001);
  EXPECT_THAT(notices, ElementsAre("NOTICE:  your password expires soon"));
}

}  // namespace
}  // namespace walferry
