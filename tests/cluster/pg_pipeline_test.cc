#include "protocol/pg_pipeline.h"

#include <cstdint>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_interrupt.h"
#include "protocol/status.h"
#include "tests/cluster/pg_fixture.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kLimit = 1 << 20;

PgParam Text(const std::string& value) {
  return {.data = value.c_str(), .size = static_cast<int>(value.size())};
}

class PgPipelineTest : public PgTest {
 protected:
  void SetUp() override {
    PgTest::SetUp();
    if (HasFatalFailure()) return;
    auto connection = Open();
    ASSERT_OK(connection);
    connection_.emplace(*std::move(connection));
  }

  // A callback that notes the first value of what arrives.
  PgPipeline::OnResult Note() {
    return [this](const PgResult& result) {
      noted_.emplace_back(result.Text(0, 0));
      return absl::OkStatus();
    };
  }

  std::optional<PgConnection> connection_;
  std::vector<std::string> noted_;
};

TEST_F(PgPipelineTest, GivesResultsInTheOrderOfTheStatements) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Prepare("twice", "SELECT 2 * $1::int"));
  const std::string seven = "7";
  const std::string eight = "8";
  ASSERT_OK(pipeline.SendPrepared("twice", {Text(seven)}, Note()));
  ASSERT_OK(pipeline.Send("SELECT 'plain'", {}, Note()));
  ASSERT_OK(pipeline.Send("SELECT 'unheard'"));
  ASSERT_OK(pipeline.SendPrepared("twice", {Text(eight)}, Note()));
  ASSERT_OK(pipeline.Sync());
  EXPECT_THAT(noted_, ElementsAre("14", "plain", "16"));
  EXPECT_EQ(pipeline.sent(), 5);
  EXPECT_EQ(pipeline.failed_index(), -1);
  ASSERT_OK(pipeline.Send("SELECT 'second group'", {}, Note()));
  ASSERT_OK(pipeline.Sync());
  ASSERT_OK(pipeline.Exit());
  EXPECT_EQ(noted_.back(), "second group");
  EXPECT_OK(connection_->Exec("SELECT 1").status());
}

TEST_F(PgPipelineTest, PassesNullBinaryAndTypedParameters) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  constexpr uint32_t kInt4 = 23;
  constexpr uint32_t kText = 25;
  ASSERT_OK(pipeline.Prepare("p",
                             "SELECT concat_ws(' ', $1, coalesce($2, 'null'), "
                             "encode($3::bytea, 'hex'), pg_typeof($1))",
                             {kInt4, kText}));
  const char number[] = {0, 0, 1, 2};
  const char bytes[] = {0, 1};
  const PgParam params[] = {{.data = number, .size = 4, .binary = true},
                            {.data = nullptr},
                            {.data = bytes, .size = 2, .binary = true}};
  ASSERT_OK(pipeline.SendPrepared("p", params, Note()));
  ASSERT_OK(pipeline.Sync());
  EXPECT_THAT(noted_, ElementsAre("258 null 0001 integer"));
  ASSERT_OK(pipeline.Exit());
}

TEST_F(PgPipelineTest, SkipsWhatFollowsAFailedStatement) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(connection_->Exec("BEGIN").status());
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Prepare("p", "INSERT INTO t VALUES ($1) RETURNING i"));
  for (int i : {1, 2, 3, 2, 4, 5, 1}) {
    const std::string number = absl::StrCat(i);
    ASSERT_OK(pipeline.SendPrepared("p", {Text(number)}, Note()));
  }
  const absl::Status status = pipeline.Sync();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "duplicate key value violates unique "
                               "constraint \"t_pkey\" (SQLSTATE 23505): Key "
                               "(i)=(2) already exists."));
  EXPECT_EQ(SqlStateOf(status), "23505");
  EXPECT_THAT(noted_, ElementsAre("1", "2", "3"));
  EXPECT_EQ(pipeline.failed_index(), 4);
  EXPECT_EQ(pipeline.Send("SELECT 1"), status);
  EXPECT_EQ(pipeline.Sync(), status);

  ASSERT_OK(pipeline.Recover());
  EXPECT_TRUE(connection_->in_transaction());
  ASSERT_OK(pipeline.Send("ROLLBACK"));
  ASSERT_OK(pipeline.Send("SELECT 'after'", {}, Note()));
  ASSERT_OK(pipeline.Sync());
  ASSERT_OK(pipeline.Exit());
  EXPECT_EQ(noted_.back(), "after");
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(Count(), "0");
}

TEST_F(PgPipelineTest, FindsAFailureWhileItStillSends) {
  PgPipeline pipeline(*connection_, 10'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  ASSERT_OK(pipeline.Send("SELECT 1/0", {}, Note()));
  absl::Status status;
  while (status.ok() && pipeline.sent() < 1'000'000) {
    status = pipeline.Send("SELECT 2", {}, Note());
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "division by zero (SQLSTATE 22012)"));
  EXPECT_EQ(pipeline.failed_index(), 1);
  EXPECT_LT(pipeline.sent(), 1'000);
  ASSERT_OK(pipeline.Recover());
  EXPECT_THAT(noted_, ElementsAre("1"));
  ASSERT_OK(pipeline.Send("SELECT 3", {}, Note()));
  ASSERT_OK(pipeline.Sync());
  ASSERT_OK(pipeline.Exit());
  EXPECT_THAT(noted_, ElementsAre("1", "3"));
}

TEST_F(PgPipelineTest, ACallbacksErrorIsAFailure) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  ASSERT_OK(pipeline.Send("SELECT 2", {}, [](const PgResult& result) {
    return absl::AbortedError(absl::StrCat("not ", result.Text(0, 0)));
  }));
  ASSERT_OK(pipeline.Send("SELECT 3", {}, Note()));
  ASSERT_OK(pipeline.Send("SELECT 1/0", {}, Note()));
  EXPECT_THAT(pipeline.Sync(), StatusIs(absl::StatusCode::kAborted, "not 2"));
  EXPECT_EQ(pipeline.failed_index(), 1);
  EXPECT_THAT(noted_, ElementsAre("1"));
  ASSERT_OK(pipeline.Recover());
  ASSERT_OK(pipeline.Exit());
}

TEST_F(PgPipelineTest, RecoversFromNothing) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Recover());
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  ASSERT_OK(pipeline.Recover());
  EXPECT_THAT(noted_, ElementsAre("1"));
  ASSERT_OK(pipeline.Exit());
}

TEST_F(PgPipelineTest, DoesNotExitWithStatementsInFlight) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  EXPECT_THAT(pipeline.Exit(),
              StatusIs(absl::StatusCode::kInternal,
                       "pipeline: left with 1 statements in flight"));
  ASSERT_OK(pipeline.Sync());
  ASSERT_OK(pipeline.Exit());
  EXPECT_THAT(noted_, ElementsAre("1"));
}

TEST_F(PgPipelineTest, RefusesWhatLibpqCannotSend) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  const std::string cut("cut\0short", 9);
  EXPECT_THAT(pipeline.Send("SELECT $1", {Text(cut)}, Note()),
              StatusIs(absl::StatusCode::kDataLoss,
                       "parameter $1: text with a NUL byte"));
  const std::vector<PgParam> many(70'000);
  EXPECT_THAT(pipeline.Send("SELECT 1", many, Note()),
              StatusIs(absl::StatusCode::kInternal,
                       "libpq refuses to send a statement: number of "
                       "parameters must be between 0 and 65535"));
  EXPECT_EQ(pipeline.sent(), 0);
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  ASSERT_OK(pipeline.Sync());
  ASSERT_OK(pipeline.Exit());
  EXPECT_THAT(noted_, ElementsAre("1"));
}

TEST_F(PgPipelineTest, ACopyBreaksIt) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("COPY t TO STDOUT", {}, Note()));
  EXPECT_THAT(pipeline.Sync(), StatusIs(absl::StatusCode::kInternal,
                                        "pipeline: a COPY cannot be in it"));
  EXPECT_TRUE(connection_->broken());
  EXPECT_THAT(noted_, IsEmpty());
}

// Neither side reads while it cannot send: both would wait for ever.
TEST_F(PgPipelineTest, CarriesMegabytesInBothDirectionsAtOnce) {
  PgPipeline pipeline(*connection_, 16 << 20);
  ASSERT_OK(pipeline.Enter());
  const std::string large(4'000'000, 'x');
  int64_t received = 0;
  constexpr int kStatements = 25;
  for (int i = 0; i < kStatements; ++i) {
    ASSERT_OK(pipeline.Send(
        "SELECT $1 || $1", {Text(large)}, [&](const PgResult& result) {
          received += static_cast<int64_t>(result.Text(0, 0).size());
          return absl::OkStatus();
        }));
  }
  ASSERT_OK(pipeline.Sync());
  EXPECT_EQ(received, kStatements * 8'000'000);
  ASSERT_OK(pipeline.Exit());
}

// The server keeps small results to itself unless it is asked for them.
TEST_F(PgPipelineTest, GetsSmallResultsOfLargeStatements) {
  for (const size_t limit : {size_t{0}, size_t{1}, size_t{100'000}}) {
    PgPipeline pipeline(*connection_, limit);
    ASSERT_OK(pipeline.Enter());
    const std::string large(30'000, 'x');
    noted_.clear();
    for (int i = 0; i < 100; ++i) {
      ASSERT_OK(pipeline.Send("SELECT length($1)", {Text(large)}, Note()));
    }
    // Without a sync, all but the last few have been answered.
    EXPECT_GE(noted_.size() + limit / large.size(), 100U);
    ASSERT_OK(pipeline.Sync());
    EXPECT_EQ(noted_, std::vector<std::string>(100, "30000"));
    ASSERT_OK(pipeline.Exit());
  }
}

TEST_F(PgPipelineTest, KeepsTheOrderOverManyStatements) {
  PgPipeline pipeline(*connection_, 50'000);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Prepare("p", "SELECT $1::text"));
  constexpr int kStatements = 20'000;
  int next = 0;
  for (int i = 0; i < kStatements; ++i) {
    const std::string number = absl::StrCat(i);
    ASSERT_OK(pipeline.SendPrepared(
        "p", {Text(number)}, [&next](const PgResult& result) {
          return result.Text(0, 0) == absl::StrCat(next++)
                     ? absl::OkStatus()
                     : absl::InternalError("out of order");
        }));
    if (i % 1'000 == 0) {
      ASSERT_OK(pipeline.Sync());
    }
  }
  ASSERT_OK(pipeline.Sync());
  EXPECT_EQ(next, kStatements);
  ASSERT_OK(pipeline.Exit());
}

TEST_F(PgPipelineTest, AnInterruptEndsTheWaitForResults) {
  ASSERT_OK_AND_ASSIGN(PgConnection blocker, Open());
  ASSERT_OK(blocker.Exec("BEGIN; LOCK TABLE t").status());
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open(&interrupt));
  PgPipeline pipeline(connection, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 'first'", {}, Note()));
  ASSERT_OK(pipeline.Send("INSERT INTO t VALUES (1)", {}, Note()));
  std::thread raiser([&] {
    EXPECT_TRUE(WaitForLock("NOT granted"));
    interrupt.Raise();
  });
  const absl::Status status = pipeline.Sync();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(connection.broken());
  EXPECT_EQ(pipeline.Send("SELECT 1"), status);
  EXPECT_EQ(pipeline.Recover(), status);
}

TEST_F(PgPipelineTest, AnInterruptEndsTheWaitForRoom) {
  ASSERT_OK_AND_ASSIGN(PgConnection blocker, Open());
  ASSERT_OK(blocker.Exec("BEGIN; LOCK TABLE t").status());
  Interrupt interrupt;
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open(&interrupt));
  PgPipeline pipeline(connection, SIZE_MAX);
  ASSERT_OK(pipeline.Enter());
  const std::string large(100'000, 'x');
  std::thread raiser([&] {
    EXPECT_TRUE(WaitForLock("NOT granted"));
    interrupt.Raise();
  });
  absl::Status status = pipeline.Send("INSERT INTO t VALUES (1)");
  while (status.ok()) status = pipeline.Send("SELECT $1", {Text(large)});
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kCancelled, "interrupted"));
  raiser.join();
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgPipelineTest, AWaitEndsByItsDeadline) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection,
                       Open({.statement_timeout = absl::Milliseconds(100)}));
  PgPipeline pipeline(connection, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT pg_sleep(600)", {}, Note()));
  EXPECT_THAT(pipeline.Sync(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                        "no answer in time"));
  EXPECT_TRUE(connection.broken());
}

TEST_F(PgPipelineTest, HearsWhyItWasTerminated) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(pipeline.Send("SELECT 1", {}, Note()));
  ASSERT_OK(pipeline.Send("SELECT pg_terminate_backend(pg_backend_pid())"));
  ASSERT_OK(pipeline.Send("SELECT 2", {}, Note()));
  const absl::Status status = pipeline.Sync();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               "terminating connection due to administrator "
                               "command (SQLSTATE 57P01)"));
  EXPECT_THAT(noted_, ElementsAre("1"));
  EXPECT_TRUE(connection_->broken());
  EXPECT_EQ(pipeline.Recover(), status);
  EXPECT_THAT(pipeline.Enter(), StatusIs(absl::StatusCode::kUnavailable,
                                         "the connection is gone"));
}

TEST_F(PgPipelineTest, FindsADeadServerWhileItSends) {
  PgPipeline pipeline(*connection_, kLimit);
  ASSERT_OK(pipeline.Enter());
  ASSERT_OK(server_->Exec(absl::StrCat(
      "SELECT pg_terminate_backend(", connection_->backend_pid(), ", 30000)")));
  absl::Status status;
  while (status.ok() && pipeline.sent() < 1'000'000) {
    status = pipeline.Send("SELECT 2", {}, Note());
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable,
                               "terminating connection due to administrator "
                               "command (SQLSTATE 57P01)"));
  EXPECT_THAT(noted_, IsEmpty());
}

}  // namespace
}  // namespace walferry
