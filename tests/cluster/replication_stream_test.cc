#include "protocol/replication_stream.h"

#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pgoutput.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A server with a table, a publication and a slot behind it; reached over the
// bare socket, and encrypted.
class ReplicationStreamTest
    : public ::testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_, PgServer::Start(
                     {.bin_dir = std::get<0>(GetParam()), .tls = encrypted()}));
    ASSERT_OK(server_->Exec("CREATE TABLE t (id int PRIMARY KEY, v text)"));
    ASSERT_OK(server_->Exec("CREATE PUBLICATION \"Pub\" FOR TABLE t"));
    ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
    ASSERT_OK(CreateSlot(connection, {.slot = "s", .export_snapshot = false}));
  }

  absl::StatusOr<PgConnection> Connect(PgConnectOptions options = {}) {
    options.conninfo = absl::StrCat(
        server_->ConnInfo(), "?sslmode=", encrypted() ? "require" : "disable");
    options.replication = true;
    return PgConnection::Open(options);
  }

  // From slot s and publication Pub, unless `options` names others.
  absl::StatusOr<std::unique_ptr<ReplicationStream>> StartStream(
      ReplicationOptions options = {}, PgConnectOptions connect = {}) {
    if (options.slot.empty()) options.slot = "s";
    if (options.publications.empty()) options.publications = {"Pub"};
    ASSIGN_OR_RETURN(PgConnection connection, Connect(connect));
    return ReplicationStream::Start(std::move(connection), options);
  }

  static bool encrypted() { return std::get<1>(GetParam()); }

  bool WaitForValue(const std::string& sql, absl::string_view value) {
    return WaitUntil(
        [&] { return server_->QueryValue(sql).value_or("") == value; });
  }

  std::unique_ptr<PgServer> server_;
};

// The next frame, as its bytes; "" at the deadline.
absl::StatusOr<std::string> NextFrame(ReplicationStream& stream,
                                      absl::Duration patience = kTestPatience) {
  ASSIGN_OR_RETURN(const auto bytes, stream.Next(absl::Now() + patience));
  return std::string(bytes.value_or(absl::string_view()));
}

// The next pgoutput message; keepalives on the way to it are dropped.
absl::StatusOr<std::string> NextMessage(ReplicationStream& stream) {
  while (true) {
    ASSIGN_OR_RETURN(const std::string bytes, NextFrame(stream));
    if (bytes.empty()) return absl::DeadlineExceededError("no message came");
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
    if (const auto* data = std::get_if<XLogData>(&frame)) {
      return std::string(data->payload);
    }
  }
}

// The type bytes of the next `count` pgoutput messages.
std::string NextTypes(ReplicationStream& stream, size_t count) {
  std::string types;
  while (types.size() < count) {
    const absl::StatusOr<std::string> message = NextMessage(stream);
    if (!message.ok())
      return absl::StrCat(types, " ", message.status().ToString());
    types += (*message)[0];
  }
  return types;
}

absl::StatusOr<Keepalive> NextKeepalive(ReplicationStream& stream) {
  while (true) {
    ASSIGN_OR_RETURN(const std::string bytes, NextFrame(stream));
    if (bytes.empty()) return absl::DeadlineExceededError("no keepalive came");
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
    if (const auto* keepalive = std::get_if<Keepalive>(&frame)) {
      return *keepalive;
    }
  }
}

// Reads to the end of the stream and confirms all that the server has sent.
absl::Status ReadToTheEnd(ReplicationStream& stream) {
  while (true) {
    absl::StatusOr<std::string> bytes = NextFrame(stream);
    if (!bytes.ok()) return bytes.status();
    if (bytes->empty()) return absl::DeadlineExceededError("it never ended");
    ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(*bytes));
    const auto* keepalive = std::get_if<Keepalive>(&frame);
    if (keepalive == nullptr) continue;
    const Lsn end = keepalive->wal_end;
    RETURN_IF_ERROR(stream.Send({.write = end, .flush = end, .apply = end}));
  }
}

TEST_P(ReplicationStreamTest, DeliversWhatIsCommitted) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1, 'x')"));
  EXPECT_EQ(NextTypes(*stream, 4), "BRIC");
  ASSERT_OK(server_->Exec("UPDATE t SET v = 'y'; DELETE FROM t"));
  EXPECT_EQ(NextTypes(*stream, 4), "BUDC");
}

TEST_P(ReplicationStreamTest, DeliversALargeRowAndManySmallOnes) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec(
      "INSERT INTO t SELECT 0, string_agg(md5(i::text), '') FROM "
      "generate_series(1, 300000) i; "
      "INSERT INTO t SELECT i, 'v' FROM generate_series(1, 20000) i"));
  EXPECT_EQ(NextTypes(*stream, 2), "BR");
  ASSERT_OK_AND_ASSIGN(const std::string large, NextMessage(*stream));
  EXPECT_GT(large.size(), 32U * 300'000);
  EXPECT_EQ(NextTypes(*stream, 20'001), std::string(20'000, 'I') + "C");
}

TEST_P(ReplicationStreamTest, OnlyLooksWhenTheDeadlineHasPassed) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1)"));
  std::string types;
  EXPECT_TRUE(WaitUntil([&] {
    const auto bytes = stream->Next(absl::InfinitePast());
    if (bytes.ok() && bytes->has_value()) types += (**bytes)[0];
    return !bytes.ok() || types.find("wwww") != std::string::npos;
  })) << types;
}

TEST_P(ReplicationStreamTest, ReturnsNothingByItsDeadline) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  // The server may have a first keepalive to send.
  absl::StatusOr<std::string> bytes;
  do {
    const absl::Time start = absl::Now();
    bytes = NextFrame(*stream, absl::Milliseconds(200));
    if (!bytes.ok() || !bytes->empty()) continue;
    EXPECT_GE(absl::Now() - start, absl::Milliseconds(200));
  } while (bytes.ok() && !bytes->empty());
  EXPECT_OK(bytes);
}

TEST_P(ReplicationStreamTest, MovesTheSlotWhenFlushIsReported) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1)"));
  EXPECT_EQ(NextTypes(*stream, 3), "BRI");
  ASSERT_OK_AND_ASSIGN(const std::string payload, NextMessage(*stream));
  ASSERT_OK_AND_ASSIGN(const auto message, DecodeMessage(payload));
  const Lsn end = std::get<Commit>(message).end_lsn;
  ASSERT_OK(stream->Send({.write = end, .flush = end, .apply = end}));
  EXPECT_TRUE(WaitForValue(
      "SELECT confirmed_flush_lsn FROM pg_replication_slots", end.ToString()));
}

TEST_P(ReplicationStreamTest, IsAnsweredWhenItAsks) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  // Whatever the server says of its own accord does not ask for a reply, and
  // comes once.
  for (int i = 0; i < 5; ++i) {
    ASSERT_OK(stream->Send({.reply_requested = true}));
    ASSERT_OK(NextKeepalive(*stream).status());
  }
}

TEST_P(ReplicationStreamTest, LivesAsLongAsItAnswers) {
  // The server asks after half of it: so long may this test stand still.
  ASSERT_OK_AND_ASSIGN(
      auto stream,
      StartStream({}, {.settings = {{"wal_sender_timeout", "5s"}}}));
  // Once more only because the first answer was heard.
  for (int asked = 0; asked < 2;) {
    ASSERT_OK_AND_ASSIGN(const Keepalive keepalive, NextKeepalive(*stream));
    if (!keepalive.reply_requested) continue;
    ++asked;
    ASSERT_OK(stream->Send({.write = keepalive.wal_end}));
  }
}

TEST_P(ReplicationStreamTest, IsClosedWhenItDoesNotAnswer) {
  ASSERT_OK_AND_ASSIGN(
      auto stream,
      StartStream({}, {.settings = {{"wal_sender_timeout", "600ms"}}}));
  absl::Status status;
  while (status.ok()) status = NextFrame(*stream).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("closed")));
  EXPECT_THAT(status.message(), HasSubstr("unexpectedly"));
  EXPECT_EQ(NextFrame(*stream).status(), status);
  EXPECT_EQ(stream->Send({}), status);
  EXPECT_EQ(stream->Finish(absl::Seconds(1)), status);
  EXPECT_TRUE(stream->connection().broken());
}

TEST_P(ReplicationStreamTest, EndsWithAFastShutdown) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1)"));
  absl::Status stopped;
  std::thread stopper([&] { stopped = server_->Stop(); });
  EXPECT_THAT(ReadToTheEnd(*stream), StatusIs(absl::StatusCode::kUnavailable,
                                              "the server ended the stream"));
  stopper.join();
  EXPECT_OK(stopped);
}

TEST_P(ReplicationStreamTest, EndsWithADeadServer) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(server_->Kill9());
  EXPECT_THAT(ReadToTheEnd(*stream),
              StatusIs(absl::StatusCode::kUnavailable,
                       AnyOf(StartsWith("server closed the connection "
                                        "unexpectedly"),
                             HasSubstr("SSL SYSCALL error: EOF"),
                             HasSubstr("Connection reset by peer"))));
}

TEST_P(ReplicationStreamTest, SaysWhyItWasTerminated) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(
      server_->Exec("SELECT pg_terminate_backend(active_pid) FROM "
                    "pg_replication_slots"));
  EXPECT_THAT(ReadToTheEnd(*stream),
              StatusIs(absl::StatusCode::kUnavailable,
                       "terminating connection due to administrator command "
                       "(SQLSTATE 57P01)"));
}

TEST_P(ReplicationStreamTest, AnInterruptEndsTheWaitAndLeavesAPoliteEnd) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream({}, {.interrupt = &interrupt}));
  std::thread raiser([&] { interrupt.Raise(); });
  absl::Status status;
  while (status.ok()) status = NextFrame(*stream).status();
  raiser.join();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  EXPECT_OK(stream->Send({}));
  EXPECT_OK(stream->Finish(kTestPatience));
}

TEST_P(ReplicationStreamTest, FinishFreesTheSlot) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  ASSERT_OK(
      server_->Exec("INSERT INTO t SELECT i, repeat('x', 100) FROM "
                    "generate_series(1, 100000) i"));
  ASSERT_OK(NextMessage(*stream).status());
  ASSERT_OK(stream->Finish(kTestPatience));
  EXPECT_EQ(server_->QueryValue("SELECT active FROM pg_replication_slots")
                .value_or(""),
            "f");
  const absl::Status over = NextFrame(*stream).status();
  EXPECT_THAT(over, StatusIs(absl::StatusCode::kUnavailable,
                             "the replication stream was finished"));
  EXPECT_EQ(stream->Finish(kTestPatience), over);
  EXPECT_EQ(stream->Send({}), over);
  ASSERT_OK(server_->Exec("SELECT pg_drop_replication_slot('s')"));
  EXPECT_EQ(server_->QueryValue("SELECT count(*) FROM pg_replication_slots")
                .value_or(""),
            "0");
}

TEST_P(ReplicationStreamTest, NeedsItsSlot) {
  const absl::Status status = StartStream({.slot = "none"}).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               "replication slot \"none\" does not exist "
                               "(SQLSTATE 42704)"));
  EXPECT_EQ(HintOf(status),
            "the slot was dropped, or this is another server; without it the "
            "stream cannot go on where it stood");
}

TEST_P(ReplicationStreamTest, SaysWhoUsesTheSlot) {
  ASSERT_OK_AND_ASSIGN(const auto first, StartStream());
  const std::string error =
      absl::StrCat("replication slot \"s\" is active for PID ",
                   first->connection().backend_pid(), " (SQLSTATE 55006)");
  const absl::Status second = StartStream().status();
  EXPECT_THAT(second, StatusIs(absl::StatusCode::kUnavailable, error));
  EXPECT_EQ(HintOf(second),
            "another process streams from the slot: stop it, or end it with "
            "pg_terminate_backend");
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  EXPECT_THAT(DropSlot(connection, "s"),
              StatusIs(absl::StatusCode::kUnavailable, error));
}

TEST_P(ReplicationStreamTest, NeedsThePublicationBeforeTheSlot) {
  std::vector<std::string> notices;
  ASSERT_OK_AND_ASSIGN(auto stream,
                       StartStream({.publications = {"late"}},
                                   {.on_notice = [&](absl::string_view notice) {
                                     notices.emplace_back(notice);
                                   }}));
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1)"));
  ASSERT_OK(server_->Exec("CREATE PUBLICATION late FOR TABLE t"));
  if (server_->major_version() >= 18) {
    // The change is not sent, and nothing but this warning says so.
    ASSERT_OK(server_->Exec("INSERT INTO t VALUES (2)"));
    EXPECT_EQ(NextTypes(*stream, 4), "BRIC");
    ASSERT_FALSE(notices.empty());
    EXPECT_THAT(notices[0],
                StartsWith("WARNING:  skipped loading publication \"late\""));
    return;
  }
  absl::Status status;
  while (status.ok()) status = NextMessage(*stream).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               "publication \"late\" does not exist (SQLSTATE "
                               "42704)"));
  EXPECT_EQ(HintOf(status),
            "the publication must have existed before the slot's first "
            "change: create it, then a new slot");
}

TEST_P(ReplicationStreamTest, MakesNamesComeWithTheirSchemas) {
  ASSERT_OK(server_->Exec("CREATE TABLE r (id int PRIMARY KEY, c regclass)"));
  ASSERT_OK(server_->Exec("ALTER PUBLICATION \"Pub\" ADD TABLE r"));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  ASSERT_OK(CreateSlot(connection, {.slot = "new", .export_snapshot = false}));
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream({.slot = "new"}));
  ASSERT_OK(server_->Exec("INSERT INTO r VALUES (1, 't')"));
  EXPECT_EQ(NextTypes(*stream, 2), "BR");
  EXPECT_THAT(NextMessage(*stream), IsOkAndHolds(HasSubstr("public.t")));
}

TEST_P(ReplicationStreamTest, TheServerTakesEveryOptionOfItsVersion) {
  const int version = server_->major_version();
  ReplicationOptions options = {.publications = {"Pub", "it's \\ \"odd\""},
                                .protocol_version = 2,
                                .streaming = Streaming::kOn,
                                .binary = true,
                                .messages = true};
  ASSERT_OK(server_->Exec("CREATE PUBLICATION \"it's \\ \"\"odd\"\"\""));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  ASSERT_OK(CreateSlot(connection, {.slot = "new", .export_snapshot = false}));
  options.slot = "new";
  if (version >= 15) {
    options.protocol_version = 3;
    options.two_phase = true;
  }
  if (version >= 16) {
    options.protocol_version = 4;
    options.streaming = Streaming::kParallel;
    options.origin = "none";
  }
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream(options));
  ASSERT_OK(server_->Exec(
      "SELECT pg_logical_emit_message(false, 'prefix', 'content')"));
  EXPECT_EQ(NextTypes(*stream, 1), "M");
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (258)"));
  EXPECT_EQ(NextTypes(*stream, 2), "BR");
  EXPECT_THAT(NextMessage(*stream),
              IsOkAndHolds(HasSubstr(std::string("b\0\0\0\4\0\0\1\2", 9))));
}

INSTANTIATE_TEST_SUITE_P(
    Servers, ReplicationStreamTest,
    ::testing::Combine(::testing::ValuesIn(TestServerBinDirs()),
                       ::testing::Bool()),
    [](const auto& test) {
      return ServerName(std::get<0>(test.param)) +
             (std::get<1>(test.param) ? "tls" : "");
    });

}  // namespace
}  // namespace walferry
