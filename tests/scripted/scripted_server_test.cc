#include "tests/testing/scripted_server.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "libpq-fe.h"
#include "tests/testing/backend_message.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

BackendMessages OneValue(const std::string& value) {
  return BackendMessages()
      .RowDescription({"value"})
      .DataRow({value})
      .CommandComplete("SELECT 1")
      .ReadyForQuery();
}

using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

Result Exec(SqlConnection& connection, const char* sql) {
  return Result(PQexec(connection.raw(), sql), &PQclear);
}

// The next CopyData's bytes; nullopt when the copy is over.
std::optional<std::string> NextCopyData(SqlConnection& connection) {
  char* buffer = nullptr;
  const int size = PQgetCopyData(connection.raw(), &buffer, 0);
  if (size < 0) return std::nullopt;
  std::string bytes(buffer, static_cast<size_t>(size));
  PQfreemem(buffer);
  return bytes;
}

class ScriptedServerOverTransport : public testing::TestWithParam<Transport> {};

TEST_P(ScriptedServerOverTransport, AnswersLibpqAsItsScriptSays) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script()
                                 .ServerVersion("17.2")
                                 .ExpectQuery("SELECT 'a'")
                                 .Send(OneValue("a"))
                                 .ExpectQuery(StartsWith("SELECT now"))
                                 .Send(BackendMessages()
                                           .RowDescription({"n", "b"})
                                           .DataRow({std::nullopt, "x"})
                                           .DataRow({"", "y"})
                                           .CommandComplete("SELECT 2")
                                           .ReadyForQuery('T'))},
                            GetParam()));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo("shop")));
  EXPECT_EQ(PQserverVersion(connection.raw()), 170002);
  EXPECT_THAT(connection.QueryValue("SELECT 'a'"), IsOkAndHolds("a"));
  EXPECT_THAT(connection.Query("SELECT now()"),
              IsOkAndHolds(SqlRows{{std::nullopt, "x"}, {"", "y"}}));
  EXPECT_EQ(PQtransactionStatus(connection.raw()), PQTRANS_INTRANS);
  { const SqlConnection closed = std::move(connection); }
  EXPECT_OK(server->Finish());
  EXPECT_EQ(server->startup()["database"], "shop");
  EXPECT_EQ(server->startup()["user"], "postgres");
  EXPECT_EQ(server->received().size(), 3u);
}

INSTANTIATE_TEST_SUITE_P(Transports, ScriptedServerOverTransport,
                         testing::Values(Transport::kUnixSocket,
                                         Transport::kTcp),
                         [](const auto& test) {
                           return test.param == Transport::kTcp ? "Tcp"
                                                                : "UnixSocket";
                         });

TEST(ScriptedServer, ReportsErrorsAndNotices) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ScriptedServer::Start({Script().ExpectQuery("boom").Send(
                           BackendMessages()
                               .NoticeResponse("look out")
                               .ErrorResponse("40001", "could not serialize")
                               .ReadyForQuery('E'))}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  std::string notice;
  PQsetNoticeProcessor(
      connection.raw(),
      [](void* text, const char* message) {
        *static_cast<std::string*>(text) = message;
      },
      &notice);
  EXPECT_THAT(
      connection.Exec("boom"),
      StatusIs(absl::StatusCode::kUnknown, "40001: could not serialize: boom"));
  EXPECT_EQ(notice, "NOTICE:  look out\n");
}

TEST(ScriptedServer, RefusesAConnection) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start(
          {Script()
               .Greet(BackendMessages().ErrorResponse(
                   "53300", "sorry, too many clients already", "FATAL"))
               .Close()}));
  EXPECT_THAT(SqlConnection::Open(server->ConnInfo()),
              StatusIs(absl::StatusCode::kUnavailable,
                       HasSubstr("FATAL:  sorry, too many clients already")));
  EXPECT_OK(server->Finish());
}

TEST(ScriptedServer, StreamsAndKeepsWhatTheClientSends) {
  absl::Notification go_on;
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script()
                                 .ExpectQuery("START_REPLICATION")
                                 .Send(BackendMessages()
                                           .CopyBothResponse()
                                           .XLogData(1, 2, 3, "payload")
                                           .Keepalive(4, 5, true))
                                 .SkipUntil('d', StartsWith("r"))
                                 .WaitFor(go_on)
                                 .Send(BackendMessages().CopyDone())
                                 .Expect('c')
                                 .Send(BackendMessages()
                                           .CommandComplete("COPY 0")
                                           .ReadyForQuery())}));
  ASSERT_OK_AND_ASSIGN(
      auto connection,
      SqlConnection::Open(server->ConnInfo() + " replication=database"));
  EXPECT_EQ(PQresultStatus(Exec(connection, "START_REPLICATION").get()),
            PGRES_COPY_BOTH);
  const std::string xlog_data(
      "w\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2"
      "\0\0\0\0\0\0\0\3payload",
      32);
  const std::string keepalive("k\0\0\0\0\0\0\0\4\0\0\0\0\0\0\0\5\1", 18);
  EXPECT_THAT(NextCopyData(connection), Optional(xlog_data));
  EXPECT_THAT(NextCopyData(connection), Optional(keepalive));
  for (const std::string status : {"hint", "r-status"}) {
    ASSERT_EQ(PQputCopyData(connection.raw(), status.data(),
                            static_cast<int>(status.size())),
              1);
  }
  ASSERT_EQ(PQflush(connection.raw()), 0);
  EXPECT_TRUE(
      WaitUntil([&] { return server->received_copy_data().size() == 2; }));
  EXPECT_THAT(server->received_copy_data(), ElementsAre("hint", "r-status"));
  EXPECT_EQ(server->startup()["replication"], "database");

  go_on.Notify();
  EXPECT_EQ(NextCopyData(connection), std::nullopt);
  ASSERT_EQ(PQputCopyEnd(connection.raw(), nullptr), 1);
  const Result copied(PQgetResult(connection.raw()), &PQclear);
  EXPECT_EQ(PQresultStatus(copied.get()), PGRES_COMMAND_OK);
  { const SqlConnection closed = std::move(connection); }
  EXPECT_OK(server->Finish());
}

TEST(ScriptedServer, CopiesOutAndIn) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script()
                                 .ExpectQuery("COPY t TO STDOUT")
                                 .Send(BackendMessages()
                                           .CopyOutResponse(2)
                                           .CopyData("1\ta\n")
                                           .CopyDone()
                                           .CommandComplete("COPY 1")
                                           .ReadyForQuery())
                                 .ExpectQuery("COPY t FROM STDIN")
                                 .Send(BackendMessages().CopyInResponse(2))
                                 .Expect('d', "2\tb\n")
                                 .Expect('c')
                                 .Send(BackendMessages()
                                           .CommandComplete("COPY 1")
                                           .ReadyForQuery())}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  EXPECT_EQ(PQresultStatus(Exec(connection, "COPY t TO STDOUT").get()),
            PGRES_COPY_OUT);
  EXPECT_THAT(NextCopyData(connection), Optional(std::string("1\ta\n")));
  EXPECT_EQ(NextCopyData(connection), std::nullopt);
  const Result copy_in = Exec(connection, "COPY t FROM STDIN");
  EXPECT_EQ(PQresultStatus(copy_in.get()), PGRES_COPY_IN);
  EXPECT_EQ(PQnfields(copy_in.get()), 2);
  ASSERT_EQ(PQputCopyData(connection.raw(), "2\tb\n", 4), 1);
  ASSERT_EQ(PQputCopyEnd(connection.raw(), nullptr), 1);
  const Result copied(PQgetResult(connection.raw()), &PQclear);
  EXPECT_EQ(std::string(PQcmdTuples(copied.get())), "1");
  { const SqlConnection closed = std::move(connection); }
  EXPECT_OK(server->Finish());
}

TEST(ScriptedServer, SpeaksTheExtendedProtocol) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script()
                                 .Expect('P', HasSubstr("SELECT $1"))
                                 .Expect('B', HasSubstr("seven"))
                                 .Expect('D')
                                 .Expect('E')
                                 .Expect('S')
                                 .Send(BackendMessages()
                                           .ParseComplete()
                                           .BindComplete()
                                           .RowDescription({"value"})
                                           .DataRow({"7"})
                                           .CommandComplete("SELECT 1")
                                           .ReadyForQuery())}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  EXPECT_THAT(connection.Query("SELECT $1", {"seven"}),
              IsOkAndHolds(SqlRows{{"7"}}));
}

TEST(ScriptedServer, ClosesInTheMiddleOfAMessage) {
  const std::string whole = OneValue("never seen").bytes();
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start(
          {Script()
               .ExpectQuery("SELECT 1")
               .Send(BackendMessages().Raw(whole.substr(0, whole.size() / 2)))
               .Close()}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  EXPECT_THAT(connection.Exec("SELECT 1"),
              StatusIs(absl::StatusCode::kUnknown,
                       HasSubstr("server closed the connection")));
  EXPECT_OK(server->Finish());
}

TEST(ScriptedServer, PlaysAScriptForEachConnection) {
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script().ExpectQuery("one").Send(OneValue("1")),
                             Script().ExpectQuery("two").Send(OneValue("2"))}));
  ASSERT_OK_AND_ASSIGN(auto first, SqlConnection::Open(server->ConnInfo()));
  ASSERT_OK_AND_ASSIGN(auto second, SqlConnection::Open(server->ConnInfo()));
  EXPECT_THAT(second.QueryValue("two"), IsOkAndHolds("2"));
  EXPECT_THAT(first.QueryValue("one"), IsOkAndHolds("1"));
  { const SqlConnection closed = std::move(first); }
  { const SqlConnection closed = std::move(second); }
  EXPECT_OK(server->Finish());
}

TEST(ScriptedServer, CountsCancelRequests) {
  absl::Notification cancelled;
  ASSERT_OK_AND_ASSIGN(
      const auto server,
      ScriptedServer::Start({Script().WaitFor(cancelled).Close()}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(
      PQgetCancel(connection.raw()), &PQfreeCancel);
  std::string error(256, '\0');
  EXPECT_EQ(PQcancel(cancel.get(), error.data(), 256), 1) << error;
  EXPECT_TRUE(WaitUntil([&] { return server->cancel_requests() == 1; }));
  cancelled.Notify();
  EXPECT_OK(server->Finish());
}

// What a test sees when the code under test does something else.

TEST(ScriptedServerFailure, NamesTheStepThatWentOtherwise) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ScriptedServer::Start({Script()
                                                  .ExpectQuery("one")
                                                  .Send(OneValue("1"))
                                                  .ExpectQuery("two")}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  ASSERT_OK(connection.Exec("one"));
  EXPECT_FALSE(connection.Exec("three").ok());
  EXPECT_THAT(server->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "connection 1, step 3: expected 'Q' that is equal to "
                       "\"two\", got 'Q' \"three\""));
}

TEST(ScriptedServerFailure, SeesThatTheClientHasLeft) {
  ASSERT_OK_AND_ASSIGN(const auto server,
                       ScriptedServer::Start({Script().SkipUntil('S')}));
  { ASSERT_OK(SqlConnection::Open(server->ConnInfo())); }
  EXPECT_THAT(server->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "connection 1, step 1: expected 'S' that is anything, "
                       "but the client has left"));
}

TEST(ScriptedServerFailure, SeesAQueryAfterTheLastStep) {
  ASSERT_OK_AND_ASSIGN(const auto server, ScriptedServer::Start({Script()}));
  ASSERT_OK_AND_ASSIGN(auto connection,
                       SqlConnection::Open(server->ConnInfo()));
  EXPECT_FALSE(connection.Exec("more").ok());
  EXPECT_THAT(server->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "connection 1: got 'Q' \"more\" after the last step"));
}

TEST(ScriptedServerFailure, SeesAConnectionWithoutAScript) {
  ASSERT_OK_AND_ASSIGN(const auto server, ScriptedServer::Start({Script()}));
  ASSERT_OK_AND_ASSIGN(auto first, SqlConnection::Open(server->ConnInfo()));
  EXPECT_FALSE(SqlConnection::Open(server->ConnInfo()).ok());
  EXPECT_THAT(server->Finish(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "connection 2: there is no script for it"));
}

}  // namespace
}  // namespace walferry
