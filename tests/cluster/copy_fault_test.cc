#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "engine/copy/copy_session.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// A copy of two tables that can be held in mid-work: while the test locks a
// table on the target against writers, the worker that copies it waits.
class CopyFaultTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
    pair_->copy.split_bytes = 64 << 10;
    pair_->copy.min_binary_bytes = 0;
    ASSERT_OK(
        pair_->Both("CREATE TABLE big (id int PRIMARY KEY, x text);"
                    "CREATE TABLE small (id int PRIMARY KEY, x text)"));
    ASSERT_OK(pair_->Source(
        "INSERT INTO big SELECT i, repeat('x', 100) FROM generate_series(1, "
        "5000) i; INSERT INTO small VALUES (1, 'one')"));
    ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                         SqlConnection::Open(pair_->target_conninfo()));
    holder_ = std::make_unique<SqlConnection>(std::move(holder));
  }

  // Copies in a thread of its own, until it waits for the table's lock.
  void CopyUntilHeld(const std::string& table) {
    ASSERT_OK(holder_->Exec("BEGIN; LOCK TABLE " + table + " IN SHARE MODE"));
    control_ = std::make_unique<Control>();
    result_ = std::async(std::launch::async, [this] {
      return pair_->CopyUntilStopped(*control_).status();
    });
    ASSERT_TRUE(WaitUntil([&] {
      return pair_->target()
                 .QueryValue(absl::Substitute(
                     "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND "
                     "relation = '$0'::regclass",
                     table))
                 .value() == "t";
    }));
  }
  void Release() { ASSERT_OK(holder_->Exec("ROLLBACK")); }

  // Ends the sessions of the copy on one side, but for the guard.
  void KillWorkers(SqlConnection& side) {
    ASSERT_OK(side.Exec(absl::Substitute(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE "
        "datname = current_database() AND application_name = 'walferry copy' "
        "AND backend_type = 'client backend' AND pid <> $0",
        pair_->snapshot->connection().backend_pid())));
  }

  void ExpectTheNextRunFinishes() {
    ASSERT_OK(pair_->Resume());
    ASSERT_OK(pair_->Copy());
    EXPECT_TRUE(pair_->Equal());
  }

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<CopyPair> pair_;
  std::unique_ptr<SqlConnection> holder_;
  std::unique_ptr<Control> control_;
  std::future<absl::Status> result_;
};

INSTANTIATE_TEST_SUITE_P(Servers, CopyFaultTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(CopyFaultTest, AWorkersLostSourceIsForReconnecting) {
  ASSERT_OK(pair_->Begin());
  CopyUntilHeld("small");
  KillWorkers(pair_->source());
  Release();
  const absl::Status ended = result_.get();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable) << ended;
  EXPECT_THAT(std::string(ended.message()),
              StartsWith("table public.small: source: "));
  ExpectTheNextRunFinishes();
}

TEST_P(CopyFaultTest, AWorkersLostTargetIsForReconnecting) {
  ASSERT_OK(pair_->Begin());
  CopyUntilHeld("small");
  KillWorkers(pair_->target());
  const absl::Status ended = result_.get();
  EXPECT_THAT(
      ended,
      StatusIs(absl::StatusCode::kUnavailable,
               "table public.small: target: terminating connection due to "
               "administrator command (SQLSTATE 57P01)"));
  Release();
  ExpectTheNextRunFinishes();
}

TEST_P(CopyFaultTest, WithoutItsGuardNothingMoreIsCommitted) {
  ASSERT_OK(pair_->Begin());
  pair_->copy.progress_interval = absl::Hours(1);
  CopyUntilHeld("small");
  ASSERT_OK(pair_->Source(
      absl::StrCat("SELECT pg_terminate_backend(",
                   pair_->snapshot->connection().backend_pid(), ", 10000)")));
  Release();
  const absl::Status ended = result_.get();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(ended.message()),
              StartsWith("source: the session that guards the snapshot was "
                         "lost: "));
  EXPECT_THAT(pair_->Ranges("small"), IsOkAndHolds(""));
  ExpectTheNextRunFinishes();
}

TEST_P(CopyFaultTest, ALostGuardIsNoticedWhileAWorkerWaits) {
  ASSERT_OK(pair_->Begin());
  CopyUntilHeld("small");
  ASSERT_OK(pair_->Source(
      absl::StrCat("SELECT pg_terminate_backend(",
                   pair_->snapshot->connection().backend_pid(), ", 10000)")));
  const absl::Status ended = result_.get();
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(ended.message()),
              StartsWith("source: the session that guards the snapshot was "
                         "lost: "));
  Release();
  ExpectTheNextRunFinishes();
}

TEST_P(CopyFaultTest, AStopEndsAWaitAtOnceAndTheRestCanBeResumed) {
  ASSERT_OK(pair_->Begin());
  CopyUntilHeld("small");
  control_->RequestStop();
  EXPECT_THAT(result_.get(), StatusIs(absl::StatusCode::kCancelled, "stopped"));
  Release();
  ExpectTheNextRunFinishes();
}

TEST_P(CopyFaultTest, AnErrorDoesNotWaitLongForTheOtherWorkers) {
  ASSERT_OK(pair_->Target("ALTER TABLE big ALTER x TYPE varchar(9)"));
  ASSERT_OK(pair_->Begin());
  pair_->copy.error_grace = absl::Milliseconds(100);
  pair_->copy.split_bytes = uint64_t{1} << 30;
  ASSERT_OK_AND_ASSIGN(SqlConnection second,
                       SqlConnection::Open(pair_->target_conninfo()));
  ASSERT_OK(second.Exec("BEGIN; LOCK TABLE big IN SHARE MODE"));
  CopyUntilHeld("small");
  ASSERT_TRUE(WaitUntil([&] {
    return *pair_->target().QueryValue(
               "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation "
               "= 'big'::regclass") == "1";
  }));
  ASSERT_OK(second.Exec("ROLLBACK"));
  const absl::Status ended = result_.get();
  EXPECT_THAT(ended,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "table public.big: target: value too long for type "
                       "character varying(9) (SQLSTATE 22001): COPY big, line "
                       "1, column x"));
}

// Binary rows were on their way when it got another type: none of them stays.
TEST_P(CopyFaultTest, ATargetWhoseTypesHaveChangedMeanwhileIsCopiedToAgain) {
  pair_->copy.jobs = 1;
  ASSERT_OK(pair_->Begin());
  CopyUntilHeld("big");
  ASSERT_OK(holder_->Exec("ALTER TABLE big ALTER x TYPE varchar; COMMIT"));
  ASSERT_OK(result_.get());
  EXPECT_TRUE(pair_->Equal());
}

TEST_P(CopyFaultTest, AStatementThatWaitsForTheGuardIsToldOf) {
  pair_->lock_wait = absl::Milliseconds(300);
  pair_->copy.split_bytes = uint64_t{1} << 30;
  ASSERT_OK(pair_->Begin());
  auto truncation = std::async(std::launch::async, [this] {
    absl::StatusOr<SqlConnection> connection =
        SqlConnection::Open(pair_->source_conninfo());
    return connection.ok() ? connection->Exec("TRUNCATE small")
                           : connection.status();
  });
  ASSERT_TRUE(WaitUntil([&] {
    return *pair_->source().QueryValue(
               "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation "
               "= 'small'::regclass") == "1";
  }));
  const absl::Status ended = pair_->Copy().status();
  EXPECT_THAT(ended, StatusIs(absl::StatusCode::kAborted,
                              "table public.small: source: canceling "
                              "statement due to lock timeout (SQLSTATE "
                              "55P03)"));
  EXPECT_EQ(HintOf(ended),
            "a statement that changes the table's form (ALTER TABLE, TRUNCATE, "
            "VACUUM FULL ...) waits on the source for the copy to end, and new "
            "readers wait behind it: cancel it, or let the copy go on after "
            "it");
  pair_->snapshot.reset();
  EXPECT_OK(truncation.get());
  ExpectTheNextRunFinishes();
  EXPECT_THAT(pair_->target().QueryValue("SELECT count(*) FROM small"),
              IsOkAndHolds("0"));
}

TEST_P(CopyFaultTest, ASessionOfAnEarlierRunCannotCommitAnyMore) {
  ASSERT_OK(pair_->Begin());
  ASSERT_OK_AND_ASSIGN(
      PgConnection zombie,
      OpenCopyTarget(pair_->Session(), pair_->snapshot->encoding()));
  ASSERT_OK(zombie.Exec("BEGIN; INSERT INTO public.small VALUES (1, 'one')"));
  ASSERT_OK(pair_->Copy());
  EXPECT_FALSE(zombie.Exec("COMMIT").ok());
  EXPECT_TRUE(pair_->Equal());
  const std::vector<Notice> notices = pair_->events.All<Notice>();
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].text,
            "ended 1 sessions that an earlier run left behind");
}

TEST_P(CopyFaultTest, ProgressTellsWhatIsBeingCopiedAndAddsUp) {
  ASSERT_OK(pair_->Begin());
  const auto big_is_done = [&] {
    return *pair_->target().QueryValue(
               "SELECT copied FROM walferry.table_copy WHERE table_name = "
               "'big'") == "t";
  };
  CopyUntilHeld("small");
  ASSERT_TRUE(WaitUntil(big_is_done));
  control_->RequestStop();
  result_.wait();
  Release();
  ASSERT_OK(pair_->Resume());
  CopyUntilHeld("small");
  ASSERT_TRUE(pair_->events.WaitFor<Progress>([](const Progress& progress) {
    return progress.active.size() == 1 &&
           progress.active[0].name == "public.small" &&
           progress.items_done == 1;
  }));
  Release();
  ASSERT_OK(result_.get());
  const std::vector<Progress> progress = pair_->events.All<Progress>();
  const Progress& last = progress.back();
  EXPECT_EQ(last.phase, Phase::kCopy);
  EXPECT_EQ(last.items_done, 2);
  EXPECT_EQ(last.items_total, 2);
  EXPECT_EQ(last.rows, 5001);
  EXPECT_EQ(last.bytes, last.bytes_total);
  EXPECT_TRUE(last.active.empty());
  for (const Progress& one : progress) {
    EXPECT_LE(one.bytes, one.bytes_total);
    EXPECT_LE(one.rows, 5001);
  }
  EXPECT_THAT(
      pair_->target().QueryValue("SELECT sum(bytes) FROM walferry.copy_range"),
      IsOkAndHolds(absl::StrCat(last.bytes)));
}

}  // namespace
}  // namespace walferry
