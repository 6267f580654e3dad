// capture and replay against live servers, as functions and as commands.

#include "engine/stream/capture.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/ledger/ledger.h"
#include "engine/stream/capture_file.h"
#include "protocol/pg_connection.h"
#include "protocol/pgoutput.h"
#include "protocol/replication_frame.h"
#include "protocol/status.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

constexpr char kHalfDone[] =
    "the target may hold a part of the record: bring it back to where the "
    "record began before the next replay";

class CaptureTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start());
    for (const char* database : {"source", "target"}) {
      ASSERT_OK(server_->Exec(absl::StrCat("CREATE DATABASE ", database)));
      ASSERT_OK(server_->Exec("CREATE TABLE t (id int PRIMARY KEY, v text)",
                              database));
    }
    ASSERT_OK(server_->Exec("CREATE PUBLICATION pub FOR TABLE t", "source"));
    ASSERT_OK(server_->Exec(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
        "source"));
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    path_ = directory_->path() + "/capture";
  }

  // Three transactions, and where they end.
  std::string Load() {
    EXPECT_OK(server_->Exec(
        "INSERT INTO t SELECT i, 'value ' || i FROM generate_series(1, 500) i",
        "source"));
    EXPECT_OK(server_->Exec("UPDATE t SET v = 'x' WHERE id <= 10", "source"));
    EXPECT_OK(server_->Exec("DELETE FROM t WHERE id > 490", "source"));
    return server_->QueryValue("SELECT pg_current_wal_insert_lsn()", "source")
        .value_or("");
  }

  CaptureOptions Options(const std::string& until) const {
    return {.source = server_->ConnInfo("source"),
            .publications = {"pub"},
            .slot = "slot",
            .output = path_,
            .until_lsn = Lsn::Parse(until).value_or(Lsn())};
  }

  absl::StatusOr<CaptureReport> Record(const CaptureOptions& options) {
    return RunCapture(options, control_, [](const CaptureReport&) {});
  }

  absl::StatusOr<ReplayReport> ApplyTo(const std::string& database) {
    return RunReplay({.input = path_, .target = server_->ConnInfo(database)},
                     control_);
  }

  // Applies until the first row waits for a lock and `end` has ended that.
  absl::Status ApplyUntil(const std::function<void()>& end) {
    ASSIGN_OR_RETURN(
        PgConnection locker,
        PgConnection::Open({.conninfo = server_->ConnInfo("target")}));
    RETURN_IF_ERROR(locker.Exec("BEGIN; LOCK TABLE t").status());
    std::future<absl::Status> replay = std::async(
        std::launch::async, [this] { return ApplyTo("target").status(); });
    EXPECT_TRUE(WaitUntil([&] {
      return server_
                 ->QueryValue(
                     "SELECT count(*) FROM pg_stat_activity WHERE "
                     "wait_event_type = 'Lock'")
                 .value_or("") == "1";
    }));
    end();
    EXPECT_EQ(replay.wait_for(absl::ToChronoSeconds(kTestPatience)),
              std::future_status::ready);
    RETURN_IF_ERROR(locker.Exec("ROLLBACK").status());
    return replay.get();
  }

  void ExpectNothingLeftOnTheTarget() {
    EXPECT_THAT(server_->QueryValue("SELECT count(*) FROM pg_namespace WHERE "
                                    "nspname LIKE 'walferry%'",
                                    "target"),
                IsOkAndHolds("0"));
    EXPECT_THAT(
        server_->QueryValue("SELECT count(*) FROM pg_replication_origin"),
        IsOkAndHolds("0"));
  }

  std::unique_ptr<PgServer> server_;
  std::optional<TempDir> directory_;
  std::string path_;
  Control control_;
};

TEST_F(CaptureTest, RunsALiveStreamAgain) {
  CaptureOptions options = Options(Load());
  ASSERT_OK(Record(options));
  // The slot has not moved: the same can be recorded again.
  options.output += "2";
  ASSERT_OK(Record(options));

  ASSERT_OK_AND_ASSIGN(const ReplayReport decoded,
                       RunReplay({.input = path_, .repeat = 3}, control_));
  EXPECT_EQ(decoded.changes, 3 * (500 + 10 + 10));
  ASSERT_OK_AND_ASSIGN(const ReplayReport applied, ApplyTo("target"));
  EXPECT_EQ(applied.changes, 500 + 10 + 10);
  EXPECT_EQ(applied.transactions, 3);
  ExpectDatabasesEqual(server_->ConnInfo("source"),
                       server_->ConnInfo("target"));
  ExpectNothingLeftOnTheTarget();
}

// Copies a record without its last frames to "<path>2".
void CopyWithoutEnd(const std::string& path, size_t frames_left_out) {
  ASSERT_OK_AND_ASSIGN(const Capture capture, Capture::Read(path));
  ASSERT_OK_AND_ASSIGN(CaptureWriter writer, CaptureWriter::Create(path + "2"));
  for (size_t at = 0; at + frames_left_out < capture.frames().size(); ++at) {
    ASSERT_OK(writer.Add(capture.frames()[at]));
  }
  ASSERT_OK(writer.Finish());
}

size_t FramesBehindTheLastDelete(const std::string& path) {
  const absl::StatusOr<Capture> capture = Capture::Read(path);
  EXPECT_OK(capture);
  size_t behind = 0;
  for (size_t at = capture->frames().size(); at-- > 0; ++behind) {
    const Frame frame = *DecodeFrame(capture->frames()[at]);
    const auto* data = std::get_if<XLogData>(&frame);
    if (data == nullptr) continue;
    if (std::holds_alternative<Delete>(*DecodeMessage(data->payload))) break;
  }
  return behind;
}

TEST_F(CaptureTest, AppliesAllTransactionsButTheOneThatTheRecordEndsIn) {
  ASSERT_OK(Record(Options(Load())));
  CopyWithoutEnd(path_, FramesBehindTheLastDelete(path_));
  path_ += "2";
  ASSERT_OK_AND_ASSIGN(const ReplayReport applied, ApplyTo("target"));
  EXPECT_EQ(applied.transactions, 2);
  EXPECT_EQ(applied.changes, 500 + 10);
  EXPECT_THAT(server_->QueryValue("SELECT count(*) FROM t", "target"),
              IsOkAndHolds("500"));
}

TEST_F(CaptureTest, LeavesNoFileIfTheSourceSaysNo) {
  CaptureOptions options = Options(Load());
  options.slot = "no_such_slot";
  EXPECT_EQ(Record(options).status().code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(std::ifstream(path_));
}

TEST_F(CaptureTest, SaysThatAReplayIsHalfDone) {
  ASSERT_OK(Record(Options(Load())));
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (7, 'rival')", "target"));
  const absl::Status conflict = ApplyTo("target").status();
  EXPECT_EQ(conflict.code(), absl::StatusCode::kFailedPrecondition) << conflict;
  EXPECT_EQ(HintOf(conflict), kHalfDone);
  ExpectNothingLeftOnTheTarget();
}

TEST_F(CaptureTest, IsHalfDoneAlsoWhenWaitingWouldHelp) {
  ASSERT_OK(Record(Options(Load())));
  const absl::Status status = ApplyUntil([&] {
    ASSERT_OK(server_->Exec(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE "
        "wait_event_type = 'Lock'"));
  });
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("canceling statement due to user request")));
  EXPECT_EQ(HintOf(status), kHalfDone);
  ExpectNothingLeftOnTheTarget();
}

TEST_F(CaptureTest, IsHalfDoneAlsoWhenStopped) {
  ASSERT_OK(Record(Options(Load())));
  const absl::Status status = ApplyUntil([&] { control_.RequestStop(); });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("interrupted")));
  EXPECT_EQ(HintOf(status), kHalfDone);
  ExpectNothingLeftOnTheTarget();
}

TEST_F(CaptureTest, GoesOnWhereAReplayThatOnlyReadsWasStopped) {
  ASSERT_OK(Record(Options(Load())));
  control_.RequestStop();
  const absl::Status stopped = RunReplay({.input = path_}, control_).status();
  EXPECT_THAT(stopped,
              StatusIs(absl::StatusCode::kCancelled,
                       absl::StrCat("capture ", path_,
                                    ", at frame 1: stopped on request")));
}

TEST_F(CaptureTest, RefusesATargetWhereAReplayWasKilled) {
  ASSERT_OK(Record(Options(Load())));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = server_->ConnInfo("target")}));
  Ledger ledger(target, {.schema = "walferry_replay", .migration = "replay"});
  ASSERT_OK(ledger.Create());
  ASSERT_OK(target.Exec(
      "INSERT INTO walferry_replay.stream (name, system_identifier, slot, "
      "dbname, applied_lsn, epoch) VALUES ('replay', 'replay', 'replay', "
      "'replay', '0/1234', 1)"));
  const absl::Status status = ApplyTo("target").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "target: schema \"walferry_replay\" tells of a "
                               "replay that was killed at 0/1234"));
  EXPECT_EQ(HintOf(status),
            "bring the target back to where the record began and DROP SCHEMA "
            "\"walferry_replay\" CASCADE there");
  EXPECT_THAT(server_->QueryValue("SELECT count(*) FROM t", "target"),
              IsOkAndHolds("0"));
}

CommandResult Walferry(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), WalferryBinary());
  absl::StatusOr<CommandResult> result =
      RunCommand({.command = std::move(arguments), .clean_environment = true},
                 absl::Minutes(2));
  EXPECT_OK(result);
  return result.ok() ? *result : CommandResult{.exit_code = -1};
}

TEST_F(CaptureTest, RecordsAndReplaysAsCommands) {
  const std::vector<std::string> capture = {
      "capture",     "--source", server_->ConnInfo("source"),
      "--slot",      "slot",     "--publication",
      "pub",         "--output", path_,
      "--until-lsn", Load()};
  const CommandResult recorded = Walferry(capture);
  EXPECT_EQ(recorded.exit_code, 0) << recorded.output;
  EXPECT_THAT(recorded.output,
              HasSubstr(absl::StrCat("recording slot slot to ", path_)));
  EXPECT_THAT(recorded.output,
              HasSubstr(absl::StrCat(path_, ": recorded in ")));
  const CommandResult again = Walferry(capture);
  EXPECT_EQ(again.exit_code, 1);
  EXPECT_EQ(again.output,
            absl::StrCat("walferry: error: capture ", path_,
                         ": File exists\nwalferry: hint: a record is never "
                         "written over: name another file, or remove this one "
                         "first\n"));
  const CommandResult decoded =
      Walferry({"replay", "--input", path_, "--decode", "--repeat", "2"});
  EXPECT_EQ(decoded.exit_code, 0);
  EXPECT_THAT(decoded.output, HasSubstr(" messages/s)\n"));
  EXPECT_THAT(decoded.output, HasSubstr(" MB/s)\n"));
  const CommandResult applied = Walferry(
      {"replay", "--input", path_, "--apply", server_->ConnInfo("target")});
  EXPECT_EQ(applied.exit_code, 0) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr("  transactions       3 ("));
  ExpectDatabasesEqual(server_->ConnInfo("source"),
                       server_->ConnInfo("target"));
  ExpectNothingLeftOnTheTarget();
}

TEST_F(CaptureTest, EndsTheRecordWellOnASignal) {
  const std::string log = directory_->path() + "/log";
  for (const int signal_number : {SIGINT, SIGTERM}) {
    const std::string path = absl::StrCat(path_, signal_number);
    ASSERT_OK_AND_ASSIGN(
        ChildProcess child,
        ChildProcess::Start(
            {.command = {WalferryBinary(), "capture", "--source",
                         server_->ConnInfo("source"), "--publication", "pub",
                         "--output", path},
             .clean_environment = true,
             .stdout_path = log,
             .stderr_path = log}));
    ASSERT_TRUE(WaitUntil([&] {
      return absl::StrContains(ReadFile(log), absl::StrCat(" to ", path));
    })) << ReadFile(log);
    child.Signal(signal_number);
    ASSERT_OK_AND_ASSIGN(const int exit_code, child.Wait(kTestPatience));
    EXPECT_EQ(exit_code, 0) << ReadFile(log);
    EXPECT_OK(Capture::Read(path));
  }
}

}  // namespace
}  // namespace walferry
