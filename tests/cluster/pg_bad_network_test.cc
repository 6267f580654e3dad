// The libpq layer against a real server behind a bad network: every wait ends,
// and what was not confirmed did not happen.

#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_copy.h"
#include "protocol/pg_interrupt.h"
#include "protocol/pg_pipeline.h"
#include "protocol/replication_stream.h"
#include "protocol/status.h"
#include "tests/cluster/pg_fixture.h"
#include "tests/testing/faulty_link.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr absl::Duration kIdle = absl::Seconds(30);
// What no answer ends would last until TCP gives up, a quarter of an hour.
constexpr absl::Duration kInTime = kTestPatience;

class PgBadNetwork : public PgTest {
 protected:
  void SetUp() override {
    PgTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(link_, FaultyLink::Start(server_->port()));
  }

  // Through the link.
  absl::StatusOr<PgConnection> Open(PgConnectOptions options = {}) {
    options.conninfo = server_->ConnInfoVia(link_->port());
    return PgTest::Open(options);
  }

  // Nobody works on the server any more, and what is in t.
  static std::string CountWhenQuiet() {
    EXPECT_TRUE(WaitUntil([&] {
      return server_
                 ->QueryValue(
                     "SELECT count(*) FROM pg_stat_activity WHERE backend_type "
                     "= 'client backend' AND pid <> pg_backend_pid()")
                 .value_or("") == "0";
    }));
    return Count();
  }

  static absl::Duration TimeOf(absl::FunctionRef<void()> action) {
    const absl::Time start = absl::Now();
    action();
    return absl::Now() - start;
  }

  std::unique_ptr<FaultyLink> link_;
};

TEST_F(PgBadNetwork, AStatementEndsByItsDeadlineThoughNobodyHearsTheCancel) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.statement_timeout = absl::Milliseconds(100)}));
  link_->Freeze();
  EXPECT_LT(TimeOf([&] {
              EXPECT_THAT(connection.Exec("SELECT 1").status(),
                          StatusIs(absl::StatusCode::kDeadlineExceeded,
                                   "no answer in time"));
            }),
            kInTime);
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgBadNetwork, AnInterruptEndsAStatementThoughNobodyHearsTheCancel) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.interrupt = &interrupt}));
  link_->Freeze();
  std::thread raiser([&] { interrupt.Raise(); });
  EXPECT_LT(TimeOf([&] {
              EXPECT_THAT(
                  connection.Exec("SELECT 1").status(),
                  StatusIs(absl::StatusCode::kCancelled, "interrupted"));
            }),
            kInTime);
  raiser.join();
}

TEST_F(PgBadNetwork, ACopyInEndsByItsIdleTimeout) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn copy,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN",
                                       absl::Milliseconds(200)));
  link_->Freeze();
  const std::string row = absl::StrCat("1\t", std::string(100'000, 'x'), "\n");
  absl::Status status;
  while (status.ok()) status = copy.Write(row);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDeadlineExceeded,
                               "no answer in time"));
  EXPECT_TRUE(connection.broken());
  link_->CutNow();
  EXPECT_EQ(CountWhenQuiet(), "0");
}

TEST_F(PgBadNetwork, ACopyInThatIsCutStoresNothing) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgCopyIn copy,
                       PgCopyIn::Start(connection, "COPY t FROM STDIN", kIdle));
  link_->CutAfter(LinkDirection::kToServer, 1'000'000);
  absl::Status status;
  for (int i = 0; status.ok(); ++i) {
    status = copy.Write(absl::StrCat(i, "\tvalue\n"));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(CountWhenQuiet(), "0");
}

TEST_F(PgBadNetwork, ACopyOutThatIsCutIsNotComplete) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  // More than all buffers on the way hold, so that the cut comes before its
  // end.
  ASSERT_OK_AND_ASSIGN(PgCopyOut copy,
                       PgCopyOut::Start(connection,
                                        "COPY (SELECT repeat('x', 10000) FROM "
                                        "generate_series(1, 20000)) TO STDOUT",
                                        kIdle));
  link_->CutAfter(LinkDirection::kToClient, 100'000);
  int64_t rows = 0;
  absl::Status status;
  while (status.ok()) {
    const auto piece = copy.Next();
    status = piece.status();
    if (!piece.ok()) break;
    ASSERT_TRUE(piece->has_value());
    rows += (*piece)->messages;
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_LT(rows, 20'000);
}

// Both sides have more to say than the buffers between them hold.
TEST_F(PgBadNetwork, APipelineCarriesMegabytesBothWaysOverASlowLink) {
  link_->SetDelay(LinkDirection::kToServer, absl::Milliseconds(20));
  link_->SetDelay(LinkDirection::kToClient, absl::Milliseconds(20));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  PgPipeline pipeline(connection, 8'000'000);
  ASSERT_OK(pipeline.Enter());
  const std::string large(500'000, 'x');
  const PgParam params[] = {{.data = large.c_str(), .size = 500'000}};
  size_t received = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_OK(pipeline.Send("SELECT $1", params, [&](const PgResult& result) {
      received += result.Text(0, 0).size();
      return absl::OkStatus();
    }));
  }
  ASSERT_OK(pipeline.Sync());
  EXPECT_EQ(received, 100 * large.size());
  ASSERT_OK(pipeline.Exit());
}

TEST_F(PgBadNetwork, APipelineThatIsCutCommitsNothing) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  PgPipeline pipeline(connection, 1'000'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("BEGIN"));
  link_->CutAfter(LinkDirection::kToServer, 1'000'000);
  absl::Status status;
  for (int i = 0; status.ok(); ++i) {
    status = pipeline.Send(absl::StrCat("INSERT INTO t VALUES (", i, ")"));
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_EQ(pipeline.Recover(), status);
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(CountWhenQuiet(), "0");
}

TEST_F(PgBadNetwork, AnInterruptEndsAFrozenPipeline) {
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.interrupt = &interrupt}));
  PgPipeline pipeline(connection, 1'000'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 1"));
  link_->Freeze();
  std::thread raiser([&] { interrupt.Raise(); });
  EXPECT_LT(TimeOf([&] {
              EXPECT_THAT(
                  pipeline.Sync(),
                  StatusIs(absl::StatusCode::kCancelled, "interrupted"));
            }),
            kInTime);
  raiser.join();
}

class StreamOverBadNetwork : public PgBadNetwork {
 protected:
  void SetUp() override {
    PgBadNetwork::SetUp();
    ASSERT_OK(server_->Exec("DROP PUBLICATION IF EXISTS p"));
    ASSERT_OK(server_->Exec("CREATE PUBLICATION p FOR TABLE t"));
    ASSERT_OK_AND_ASSIGN(PgConnection connection, Open({.replication = true}));
    ASSERT_OK(CreateSlot(connection, {.slot = "s", .export_snapshot = false}));
  }
  void TearDown() override {
    link_->CutNow();
    EXPECT_TRUE(WaitUntil([&] {
      return server_->Exec("SELECT pg_drop_replication_slot('s')").ok();
    }));
  }

  absl::StatusOr<std::unique_ptr<ReplicationStream>> StartStream() {
    ASSIGN_OR_RETURN(PgConnection connection, Open({.replication = true}));
    return ReplicationStream::Start(std::move(connection),
                                    {.slot = "s", .publications = {"p"}});
  }
};

TEST_F(StreamOverBadNetwork, ASilentStreamIsNoErrorAndSendsDoNotBlock) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  link_->Freeze();
  EXPECT_LT(TimeOf([&] {
              for (int i = 0; i < 1'000; ++i) ASSERT_OK(stream->Send({}));
              absl::StatusOr<std::optional<absl::string_view>> frame;
              do {
                frame = stream->Next(absl::Now() + absl::Milliseconds(100));
              } while (frame.ok() && frame->has_value());
              EXPECT_OK(frame);
            }),
            kInTime);
  EXPECT_FALSE(stream->connection().broken());
}

TEST_F(StreamOverBadNetwork, FramesGoOnWhenTheLinkDoes) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  link_->Freeze();
  ASSERT_OK(server_->Exec("INSERT INTO t SELECT generate_series(1, 1000)"));
  link_->Thaw();
  int frames = 0;
  while (frames < 1'003) {
    ASSERT_OK_AND_ASSIGN(const auto frame,
                         stream->Next(absl::Now() + kTestPatience));
    ASSERT_TRUE(frame.has_value());
    if ((*frame)[0] == 'w') ++frames;
  }
}

TEST_F(StreamOverBadNetwork, ACutStreamIsUnavailable) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  link_->CutAfter(LinkDirection::kToClient, 10'000);
  ASSERT_OK(server_->Exec("INSERT INTO t SELECT generate_series(1, 1000)"));
  absl::Status status;
  while (status.ok()) {
    status = stream->Next(absl::Now() + kTestPatience).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  EXPECT_TRUE(stream->connection().broken());
}

TEST_F(StreamOverBadNetwork, AMessageThatNoServerSendsIsDataLoss) {
  ASSERT_OK_AND_ASSIGN(auto stream, StartStream());
  link_->Inject(LinkDirection::kToClient, absl::string_view("y\0\0\0\5?", 6));
  absl::Status status;
  while (status.ok()) {
    status = stream->Next(absl::Now() + kTestPatience).status();
  }
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
  EXPECT_TRUE(stream->connection().broken());
}

}  // namespace
}  // namespace walferry
