#include "protocol/replication_stream.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/status.h"
#include "tests/testing/backend_message.h"
#include "tests/testing/scripted_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Optional;
using ::testing::StartsWith;

constexpr char kPinned[] =
    "SELECT pg_catalog.set_config('search_path', '', false)";

Script Pinned(const std::string& version = "15.4") {
  return Script().ServerVersion(version).ExpectQuery(kPinned).Send(
      BackendMessages()
          .RowDescription({"set_config"})
          .DataRow({""})
          .CommandComplete("SELECT 1")
          .ReadyForQuery());
}

// A stream has begun; what follows is up to the test.
Script Streaming() {
  return Pinned()
      .ExpectQuery(StartsWith("START_REPLICATION SLOT \"s\" "))
      .Send(BackendMessages().CopyBothResponse());
}

class ScriptedStream : public ::testing::Test {
 protected:
  absl::StatusOr<PgConnection> Connect(const Script& script,
                                       const Interrupt* interrupt = nullptr) {
    ASSIGN_OR_RETURN(server_, ScriptedServer::Start({script}));
    return PgConnection::Open({.conninfo = server_->ConnInfo(),
                               .replication = true,
                               .interrupt = interrupt});
  }

  absl::StatusOr<std::unique_ptr<ReplicationStream>> StartStream(
      const Script& script, const Interrupt* interrupt = nullptr) {
    ASSIGN_OR_RETURN(PgConnection connection, Connect(script, interrupt));
    return ReplicationStream::Start(std::move(connection),
                                    {.slot = "s", .publications = {"p"}});
  }

  std::unique_ptr<ScriptedServer> server_;
};

absl::StatusOr<std::string> NextFrame(ReplicationStream& stream) {
  ASSIGN_OR_RETURN(const auto bytes, stream.Next(absl::Now() + kTestPatience));
  if (!bytes.has_value()) return absl::DeadlineExceededError("no frame came");
  return std::string(*bytes);
}

TEST_F(ScriptedStream, GivesFramesAsTheyCameAndSendsStatuses) {
  std::string expected("r\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\3", 25);
  expected += std::string("\0\0\0\0\0\0\0\4\1", 9);
  ASSERT_OK_AND_ASSIGN(
      auto stream, StartStream(Streaming()
                                   .Send(BackendMessages()
                                             .CopyData("one")
                                             .NoticeResponse("look out")
                                             .CopyData("two"))
                                   .Expect('d', expected)
                                   .Send(BackendMessages().CopyData("three"))));
  EXPECT_THAT(NextFrame(*stream), IsOkAndHolds(std::string("one")));
  EXPECT_THAT(NextFrame(*stream), IsOkAndHolds(std::string("two")));
  EXPECT_THAT(stream->Next(absl::InfinitePast()), IsOkAndHolds(std::nullopt));
  ASSERT_OK(stream->Send({.write = Lsn(1),
                          .flush = Lsn(2),
                          .apply = Lsn(3),
                          .client_time = 4,
                          .reply_requested = true}));
  EXPECT_THAT(NextFrame(*stream), IsOkAndHolds(std::string("three")));
  stream = nullptr;
  EXPECT_OK(server_->Finish());
}

TEST_F(ScriptedStream, AsksForALogicalWalsender) {
  ASSERT_OK_AND_ASSIGN(const auto stream, StartStream(Streaming()));
  EXPECT_EQ(server_->startup()["replication"], "database");
  EXPECT_EQ(server_->startup()["database"], "app");
}

TEST_F(ScriptedStream, GivesWhatCameBeforeTheConnectionBroke) {
  BackendMessages frames;
  for (int i = 0; i < 10'000; ++i) frames.CopyData(absl::StrCat("frame ", i));
  ASSERT_OK_AND_ASSIGN(auto stream,
                       StartStream(Streaming().Send(frames).Close()));
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_THAT(NextFrame(*stream), IsOkAndHolds(absl::StrCat("frame ", i)));
  }
  const absl::Status status = NextFrame(*stream).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               AnyOf(StartsWith("server closed the connection "
                                                "unexpectedly"),
                                     HasSubstr("Connection reset by peer"))));
  EXPECT_EQ(NextFrame(*stream).status(), status);
  EXPECT_TRUE(stream->connection().broken());
}

TEST_F(ScriptedStream, SaysWhyTheServerEndedIt) {
  ASSERT_OK_AND_ASSIGN(
      auto stream, StartStream(Streaming().Send(
                       BackendMessages().CopyData("one").ErrorResponse(
                           "55000",
                           "can no longer get changes from replication slot "
                           "\"s\""))));
  ASSERT_OK(NextFrame(*stream).status());
  const absl::Status status = NextFrame(*stream).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "can no longer get changes from replication "
                               "slot \"s\" (SQLSTATE 55000)"));
  EXPECT_EQ(HintOf(status),
            "the server has given the slot up, and with it the changes since: "
            "start anew with a new slot");
}

TEST_F(ScriptedStream, EndsWithTheServersCopyDone) {
  ASSERT_OK_AND_ASSIGN(
      auto stream, StartStream(Streaming().Send(BackendMessages().CopyDone())));
  EXPECT_THAT(NextFrame(*stream), StatusIs(absl::StatusCode::kUnavailable,
                                           "the server ended the stream"));
}

TEST_F(ScriptedStream, EndsWithTheServersCommandComplete) {
  ASSERT_OK_AND_ASSIGN(auto stream,
                       StartStream(Streaming().Send(
                           BackendMessages().CommandComplete("COPY 0"))));
  EXPECT_THAT(NextFrame(*stream), StatusIs(absl::StatusCode::kUnavailable,
                                           "the server ended the stream"));
}

TEST_F(ScriptedStream, GarbageIsDataLoss) {
  ASSERT_OK_AND_ASSIGN(
      auto stream,
      StartStream(Streaming().Send(BackendMessages().Message('y', "what?"))));
  EXPECT_THAT(NextFrame(*stream),
              StatusIs(absl::StatusCode::kDataLoss,
                       "lost synchronization with server: got message type "
                       "\"y\", length 9"));
}

TEST_F(ScriptedStream, AnEndByRowsIsDataLoss) {
  ASSERT_OK_AND_ASSIGN(
      auto stream, StartStream(Streaming().Send(BackendMessages()
                                                    .RowDescription({"why"})
                                                    .DataRow({"?"})
                                                    .CommandComplete("SELECT 1")
                                                    .ReadyForQuery())));
  EXPECT_THAT(NextFrame(*stream),
              StatusIs(absl::StatusCode::kDataLoss,
                       HasSubstr("got message type \"T\"")));
}

TEST_F(ScriptedStream, MustBeginWithCopyBoth) {
  EXPECT_THAT(StartStream(Pinned()
                              .ExpectQuery(StartsWith("START_REPLICATION"))
                              .Send(BackendMessages()
                                        .CommandComplete("START_REPLICATION")
                                        .ReadyForQuery()))
                  .status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "START_REPLICATION: answered by PGRES_COMMAND_OK"));
}

TEST_F(ScriptedStream, DoesNotBeginWithoutThePinnedSearchPath) {
  EXPECT_THAT(StartStream(Script().ExpectQuery(kPinned).Send(
                              BackendMessages()
                                  .ErrorResponse("42501", "not you")
                                  .ReadyForQuery()))
                  .status(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "not you (SQLSTATE 42501)"));
}

TEST_F(ScriptedStream, AnInterruptEndsTheWaitAndSendsNoCancelRequest) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(auto stream,
                       StartStream(Streaming().SkipUntil('d').Expect('c').Send(
                                       BackendMessages()
                                           .CopyData("late")
                                           .CopyDone()
                                           .CommandComplete("COPY 0")
                                           .CommandComplete("START_REPLICATION")
                                           .ReadyForQuery()),
                                   &interrupt));
  std::thread raiser([&] { interrupt.Raise(); });
  EXPECT_THAT(NextFrame(*stream),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_FALSE(stream->connection().broken());
  EXPECT_OK(stream->Send({}));
  EXPECT_OK(stream->Finish(kTestPatience));
  EXPECT_EQ(server_->cancel_requests(), 0);
}

TEST_F(ScriptedStream, FinishDoesNotWaitForEver) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream(Streaming().Expect('c')));
  EXPECT_THAT(
      stream->Finish(absl::Milliseconds(200)),
      StatusIs(absl::StatusCode::kDeadlineExceeded, "no answer in time"));
  EXPECT_TRUE(stream->connection().broken());
}

TEST_F(ScriptedStream, FinishReportsAnErrorOfTheServer) {
  ASSERT_OK_AND_ASSIGN(
      auto stream,
      StartStream(Streaming().Expect('c').Send(
          BackendMessages().ErrorResponse("58030", "disk").ReadyForQuery())));
  EXPECT_THAT(
      stream->Finish(kTestPatience),
      StatusIs(absl::StatusCode::kUnavailable, "disk (SQLSTATE 58030)"));
}

TEST_F(ScriptedStream, FinishReportsALostConnection) {
  ASSERT_OK_AND_ASSIGN(auto stream,
                       StartStream(Streaming().Expect('c').Close()));
  EXPECT_EQ(stream->Finish(kTestPatience).code(),
            absl::StatusCode::kUnavailable);
  EXPECT_TRUE(stream->connection().broken());
}

// ---- Other commands ----

struct SlotCommand {
  std::string name;
  std::string server_version;
  CreateSlotOptions options;
  std::string command;
};

class CreateSlotTest : public ScriptedStream,
                       public ::testing::WithParamInterface<SlotCommand> {};

TEST_P(CreateSlotTest, SaysItAsTheServersVersionWantsIt) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection connection,
      Connect(Script()
                  .ServerVersion(GetParam().server_version)
                  .ExpectQuery(GetParam().command)
                  .Send(BackendMessages()
                            .RowDescription({"slot_name", "consistent_point",
                                             "snapshot_name", "output_plugin"})
                            .DataRow({"s", "1/AB", "00000003-00000002-1",
                                      "pgoutput"})
                            .CommandComplete("CREATE_REPLICATION_SLOT")
                            .ReadyForQuery())));
  ASSERT_OK_AND_ASSIGN(const CreatedSlot slot,
                       CreateSlot(connection, GetParam().options));
  EXPECT_EQ(slot.consistent_point, Lsn(0x1'0000'00ab));
  EXPECT_EQ(slot.snapshot_name, "00000003-00000002-1");
}

INSTANTIATE_TEST_SUITE_P(
    Versions, CreateSlotTest,
    ::testing::ValuesIn(std::vector<SlotCommand>{
        {"Export14",
         "14.13",
         {.slot = "s"},
         "CREATE_REPLICATION_SLOT \"s\" LOGICAL \"pgoutput\" "
         "EXPORT_SNAPSHOT"},
        {"Temporary14",
         "14.13",
         {.slot = "s", .temporary = true, .export_snapshot = false},
         "CREATE_REPLICATION_SLOT \"s\" TEMPORARY LOGICAL \"pgoutput\" "
         "NOEXPORT_SNAPSHOT"},
        {"Export15",
         "15.4",
         {.slot = "s"},
         "CREATE_REPLICATION_SLOT \"s\" LOGICAL \"pgoutput\" (SNAPSHOT "
         "'export')"},
        {"Temporary16",
         "16.1",
         {.slot = "s\"", .temporary = true, .export_snapshot = false},
         "CREATE_REPLICATION_SLOT \"s\"\"\" TEMPORARY LOGICAL \"pgoutput\" "
         "(SNAPSHOT 'nothing')"},
        {"Failover17",
         "17.0",
         {.slot = "s", .failover = true},
         "CREATE_REPLICATION_SLOT \"s\" LOGICAL \"pgoutput\" (SNAPSHOT "
         "'export', FAILOVER)"},
    }),
    [](const auto& test) { return test.param.name; });

TEST_F(ScriptedStream, IdentifySystemNeedsItsRow) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection connection,
      Connect(Script()
                  .ExpectQuery("IDENTIFY_SYSTEM")
                  .Send(BackendMessages()
                            .CommandComplete("IDENTIFY_SYSTEM")
                            .ReadyForQuery())
                  .ExpectQuery("IDENTIFY_SYSTEM")
                  .Send(BackendMessages()
                            .RowDescription(
                                {"systemid", "timeline", "xlogpos", "dbname"})
                            .DataRow({"7", "3", "1/AB", "app"})
                            .CommandComplete("IDENTIFY_SYSTEM")
                            .ReadyForQuery())));
  EXPECT_THAT(IdentifySystem(connection),
              StatusIs(absl::StatusCode::kDataLoss,
                       "IDENTIFY_SYSTEM: answered by 0 rows of 0 columns, not "
                       "by one of 4"));
  ASSERT_OK_AND_ASSIGN(const SystemIdentity identity,
                       IdentifySystem(connection));
  EXPECT_EQ(identity.system_identifier, "7");
  EXPECT_EQ(identity.timeline, 3);
  EXPECT_EQ(identity.flushed, Lsn(0x1'0000'00ab));
  EXPECT_EQ(identity.dbname, "app");
}

}  // namespace
}  // namespace walferry
