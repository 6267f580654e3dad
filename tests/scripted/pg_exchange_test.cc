// Statements, COPY and pipelines against a server that falls silent, hangs up
// or sends what no server sends.

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
#include "protocol/pg_connection.h"
#include "protocol/pg_copy.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pg_pipeline.h"
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
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr absl::Duration kIdle = absl::Seconds(30);

// What is left of a connection: libpq tells the two apart by chance.
const auto kHungUp =
    AnyOf(StartsWith("server closed the connection "
                     "unexpectedly"),
          HasSubstr("Connection reset by peer"), HasSubstr("Broken pipe"));

BackendMessages OneValue(const std::string& value) {
  return BackendMessages()
      .RowDescription({"value"})
      .DataRow({value})
      .CommandComplete("SELECT 1")
      .ReadyForQuery();
}

// A connection to a server that plays one script.
class PgExchange : public ::testing::Test {
 protected:
  void Play(const Script& script, PgConnectOptions options = {}) {
    ASSERT_OK_AND_ASSIGN(server_, ScriptedServer::Start({script}));
    options.conninfo = server_->ConnInfo();
    auto connection = PgConnection::Open(options);
    ASSERT_OK(connection);
    connection_ = std::make_unique<PgConnection>(*std::move(connection));
  }

  void ExpectPlayed() {
    connection_ = nullptr;
    EXPECT_OK(server_->Finish());
  }

  std::unique_ptr<ScriptedServer> server_;
  std::unique_ptr<PgConnection> connection_;
};

TEST_F(PgExchange, AStatementEndsWithTheConnection) {
  Play(Script().ExpectQuery("SELECT 1").Close());
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_TRUE(connection_->broken());
  EXPECT_THAT(
      connection_->ExecParams("SELECT 1", {}).status(),
      StatusIs(absl::StatusCode::kUnavailable, "the connection is gone"));
  ExpectPlayed();
}

TEST_F(PgExchange, AStatementEndsInTheMiddleOfARow) {
  const std::string rows = OneValue("a long enough value").bytes();
  Play(Script()
           .ExpectQuery("SELECT 1")
           .Send(BackendMessages().Raw(rows.substr(0, rows.size() - 30)))
           .Close());
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, TheServersLastWordsAreHeard) {
  Play(Script()
           .ExpectQuery("SELECT 1")
           .Send(BackendMessages().ErrorResponse("57P02", "crash of another",
                                                 "FATAL"))
           .Close());
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kUnavailable,
                       "crash of another (SQLSTATE 57P02)"));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, GarbageIsDataLoss) {
  Play(Script()
           .ExpectQuery("SELECT 1")
           .Send(BackendMessages().Message('y', "what?")));
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "unexpected response from server; first received "
                       "character was \"y\""));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, ACutOffRowIsDataLoss) {
  Play(Script()
           .ExpectQuery("SELECT 1")
           .Send(BackendMessages()
                     .RowDescription({"value"})
                     .Message('D', absl::string_view("\0\1\0", 3))
                     .CommandComplete("SELECT 1")
                     .ReadyForQuery()));
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "insufficient data in \"D\" message"));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, ADeadlineSendsACancelRequest) {
  Play(Script().ExpectQuery("SELECT 1"),
       {.statement_timeout = absl::Milliseconds(100)});
  EXPECT_THAT(
      connection_->Exec("SELECT 1").status(),
      StatusIs(absl::StatusCode::kDeadlineExceeded, "no answer in time"));
  EXPECT_TRUE(WaitUntil([&] { return server_->cancel_requests() == 1; }));
  EXPECT_TRUE(connection_->broken());
  ExpectPlayed();
}

TEST_F(PgExchange, AnInterruptSendsACancelRequest) {
  Interrupt interrupt;
  Play(Script().ExpectQuery("SELECT 1"), {.interrupt = &interrupt});
  std::thread raiser([&] {
    EXPECT_TRUE(WaitUntil([&] { return server_->received().size() == 1; }));
    interrupt.Raise();
  });
  EXPECT_THAT(connection_->Exec("SELECT 1").status(),
              StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(WaitUntil([&] { return server_->cancel_requests() == 1; }));
  ExpectPlayed();
}

// ---- COPY ----

TEST_F(PgExchange, ACopyOutThatBreaksOffIsNotComplete) {
  Play(Script()
           .ExpectQuery("COPY t TO STDOUT")
           .Send(BackendMessages().CopyOutResponse(1).CopyData("1\n"))
           .Close());
  ASSERT_OK_AND_ASSIGN(
      PgCopyOut copy,
      PgCopyOut::Start(*connection_, "COPY t TO STDOUT", kIdle));
  ASSERT_OK_AND_ASSIGN(const auto piece, copy.Next());
  ASSERT_TRUE(piece.has_value());
  EXPECT_EQ(piece->bytes, "1\n");
  const absl::Status status = copy.Next().status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_EQ(copy.Next().status(), status);
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, ACopyOutWithoutConfirmationIsNotComplete) {
  Play(Script()
           .ExpectQuery("COPY t TO STDOUT")
           .Send(BackendMessages()
                     .CopyOutResponse(1)
                     .CopyData("1\n")
                     .CopyDone()
                     .ErrorResponse("40001", "too late"))
           .Close());
  ASSERT_OK_AND_ASSIGN(
      PgCopyOut copy,
      PgCopyOut::Start(*connection_, "COPY t TO STDOUT", kIdle));
  ASSERT_OK(copy.Next().status());
  EXPECT_THAT(copy.Next(), StatusIs(absl::StatusCode::kAborted,
                                    "too late (SQLSTATE 40001)"));
}

TEST_F(PgExchange, GarbageInACopyOutIsDataLoss) {
  Play(Script()
           .ExpectQuery("COPY t TO STDOUT")
           .Send(BackendMessages().CopyOutResponse(1).CopyData("1\n").Message(
               'y', "what?")));
  ASSERT_OK_AND_ASSIGN(
      PgCopyOut copy,
      PgCopyOut::Start(*connection_, "COPY t TO STDOUT", kIdle));
  ASSERT_OK(copy.Next().status());
  EXPECT_THAT(copy.Next(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "unexpected response from server; first received "
                       "character was \"y\""));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, ACopyInSendsWhatWasWrittenAndEnds) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .Expect('d', "1\n2\n")
           .Expect('c', "")
           .Send(BackendMessages().CommandComplete("COPY 2").ReadyForQuery()));
  ASSERT_OK_AND_ASSIGN(
      PgCopyIn copy, PgCopyIn::Start(*connection_, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(copy.Write("1\n"));
  ASSERT_OK(copy.Write("2\n"));
  EXPECT_THAT(copy.Finish(), IsOkAndHolds(2));
  ExpectPlayed();
}

TEST_F(PgExchange, AnAbortedCopyInSaysWhy) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .Expect('f', std::string("no more\0", 8))
           .Send(BackendMessages()
                     .ErrorResponse("57014", "COPY from stdin failed: no more")
                     .ReadyForQuery()));
  ASSERT_OK_AND_ASSIGN(
      PgCopyIn copy, PgCopyIn::Start(*connection_, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(copy.Write("1\n"));
  EXPECT_OK(copy.Abort("no more"));
  EXPECT_FALSE(connection_->broken());
  ExpectPlayed();
}

TEST_F(PgExchange, AnAbortThatTheServerDoesNotHeedIsAnError) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .Expect('f')
           .Send(BackendMessages().CommandComplete("COPY 1").ReadyForQuery()));
  ASSERT_OK_AND_ASSIGN(
      PgCopyIn copy, PgCopyIn::Start(*connection_, "COPY t FROM STDIN", kIdle));
  EXPECT_THAT(copy.Abort("no more"),
              StatusIs(absl::StatusCode::kInternal,
                       "the server stored a COPY that was aborted"));
}

TEST_F(PgExchange, ACopyInEndsWithTheConnection) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .Close());
  ASSERT_OK_AND_ASSIGN(
      PgCopyIn copy, PgCopyIn::Start(*connection_, "COPY t FROM STDIN", kIdle));
  absl::Status status;
  const std::string rows(100'000, '\n');
  while (status.ok()) status = copy.Write(rows);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_TRUE(connection_->broken());
  EXPECT_THAT(copy.Finish(), StatusIs(absl::StatusCode::kInternal,
                                      "the COPY is over already"));
}

TEST_F(PgExchange, ACopyInWithoutConfirmationIsNotStored) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .SkipUntil('c')
           .Close());
  ASSERT_OK_AND_ASSIGN(
      PgCopyIn copy, PgCopyIn::Start(*connection_, "COPY t FROM STDIN", kIdle));
  ASSERT_OK(copy.Write("1\n"));
  EXPECT_THAT(copy.Finish(), StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgExchange, ADeadlineEndsTheWaitForACopysConfirmation) {
  Play(Script()
           .ExpectQuery("COPY t FROM STDIN")
           .Send(BackendMessages().CopyInResponse(1))
           .SkipUntil('c'));
  ASSERT_OK_AND_ASSIGN(PgCopyIn copy,
                       PgCopyIn::Start(*connection_, "COPY t FROM STDIN",
                                       absl::Milliseconds(300)));
  ASSERT_OK(copy.Write("1\n"));
  EXPECT_THAT(copy.Finish(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                      "no answer in time"));
  EXPECT_TRUE(connection_->broken());
}

// ---- Pipelines ----

BackendMessages Executed(const std::string& tag) {
  return BackendMessages()
      .ParseComplete()
      .BindComplete()
      .NoData()
      .CommandComplete(tag);
}

class PgPipelineExchange : public PgExchange {
 protected:
  PgPipeline::OnResult NoteTag() {
    return [this](const PgResult& result) {
      tags_.emplace_back(result.command_tag());
      return absl::OkStatus();
    };
  }

  std::vector<std::string> tags_;
};

TEST_F(PgPipelineExchange, EndsWithTheConnection) {
  Play(Script().SkipUntil('S').Send(Executed("INSERT 0 1")).Close());
  PgPipeline pipeline(*connection_, 1'000'000);
  ASSERT_OK(pipeline.Enter());
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(pipeline.Send("INSERT", {}, NoteTag()));
  }
  const absl::Status status = pipeline.Sync();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable, kHungUp));
  EXPECT_THAT(tags_, ElementsAre("INSERT 0 1"));
  EXPECT_TRUE(connection_->broken());
  EXPECT_EQ(pipeline.Recover(), status);
}

TEST_F(PgPipelineExchange, GarbageIsDataLoss) {
  Play(Script().SkipUntil('S').Send(
      Executed("INSERT 0 1").Message('y', "what?")));
  PgPipeline pipeline(*connection_, 1'000'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("INSERT", {}, NoteTag()));
  ASSERT_OK(pipeline.Send("INSERT", {}, NoteTag()));
  EXPECT_THAT(pipeline.Sync(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "unexpected response from server; first received "
                       "character was \"y\""));
  EXPECT_THAT(tags_, ElementsAre("INSERT 0 1"));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgPipelineExchange, ASyncThatComesTooEarlyIsAnError) {
  Play(Script().SkipUntil('S').Send(Executed("INSERT 0 1").ReadyForQuery()));
  PgPipeline pipeline(*connection_, 1'000'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("INSERT", {}, NoteTag()));
  ASSERT_OK(pipeline.Send("INSERT", {}, NoteTag()));
  EXPECT_THAT(pipeline.Sync(),
              StatusIs(absl::StatusCode::kDataLoss,
                       "pipeline: the server's answers do not fit what was "
                       "sent"));
  EXPECT_THAT(tags_, ElementsAre("INSERT 0 1"));
  EXPECT_TRUE(connection_->broken());
}

TEST_F(PgPipelineExchange, ThousandsOfStatementsMayBeInFlight) {
  Script script;
  BackendMessages answers;
  constexpr int kStatements = 5'000;
  for (int i = 0; i < kStatements; ++i) answers.Raw(Executed("X").bytes());
  script.SkipUntil('S').Send(answers.ReadyForQuery());
  Play(script);
  PgPipeline pipeline(*connection_, 100'000'000);
  ASSERT_OK(pipeline.Enter());
  for (int i = 0; i < kStatements; ++i) {
    ASSERT_OK(pipeline.Send("X", {}, NoteTag()));
  }
  ASSERT_OK(pipeline.Sync());
  EXPECT_EQ(tags_.size(), size_t{kStatements});
  ASSERT_OK(pipeline.Exit());
  ExpectPlayed();
}

}  // namespace
}  // namespace walferry
