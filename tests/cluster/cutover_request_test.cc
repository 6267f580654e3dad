// `walferry cutover`: asking the process that runs a migration.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class CutoverRequestTest : public CutoverTest {
 protected:
  void SetUp() override {
    CutoverTest::SetUp();
    BackgroundRun run(Options());
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    ASSERT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
    ASSERT_OK_AND_ASSIGN(process_, HoldLock());
  }

  void Ask(absl::Duration process_grace) {
    ask_ = std::async(std::launch::async, [this, process_grace] {
      Control control;
      return RunCutover({.target = target_->ConnInfo("app"),
                         .name = "test",
                         .wait = kTestPatience,
                         .process_grace = process_grace},
                        control, told_);
    });
    ASSERT_TRUE(WaitUntil([this] { return Requested() == "t"; }));
  }

  // As the process of a migration does.
  absl::StatusOr<std::unique_ptr<SqlConnection>> HoldLock() {
    ASSIGN_OR_RETURN(SqlConnection process,
                     SqlConnection::Open(target_->ConnInfo("app")));
    RETURN_IF_ERROR(process.Exec(
        "SELECT pg_advisory_lock(hashtext('walferry migration walferry'), "
        "hashtext('test'))"));
    return std::make_unique<SqlConnection>(std::move(process));
  }

  std::string Requested() {
    return TargetValue(
               "SELECT cutover_requested_at IS NOT NULL FROM "
               "walferry.migration")
        .value_or("?");
  }

  std::unique_ptr<SqlConnection> process_;
  EventRecorder told_;
  std::future<absl::StatusOr<Report>> ask_;
};

TEST_F(CutoverRequestTest, IsWithdrawnWhenTheMigrationHasEnded) {
  Ask(absl::ZeroDuration());
  process_.reset();
  EXPECT_THAT(ask_.get(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the migration has ended without cutting "
                                 "over")));
  EXPECT_EQ(Requested(), "f");
}

TEST_F(CutoverRequestTest, OutlivesAPauseBetweenTwoAttempts) {
  Ask(absl::InfiniteDuration());
  process_.reset();
  // The next attempt finds the request.
  BackgroundRun run(Options());
  ASSERT_OK(run.Result());
  EXPECT_OK(ask_.get());
}

// Whoever asked may have gone long ago.
TEST_F(CutoverRequestTest, IsNotMadeByAProcessThatBeginsMuchLater) {
  process_.reset();
  ASSERT_OK(target_->Exec(
      "UPDATE walferry.migration SET cutover_requested_at = clock_timestamp() "
      "- interval '2 minutes'",
      "app"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text ==
           "a cutover that an earlier run was asked for is not made: ask again";
  }));
  EXPECT_EQ(Requested(), "f");
  EXPECT_FALSE(run.ended());
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
}

TEST_F(CutoverRequestTest, IsWithdrawnByAnInterrupt) {
  Control control;
  ask_ = std::async(std::launch::async, [&] {
    return RunCutover({.target = target_->ConnInfo("app"),
                       .name = "test",
                       .wait = kTestPatience,
                       .process_grace = absl::ZeroDuration()},
                      control, told_);
  });
  ASSERT_TRUE(WaitUntil([this] { return Requested() == "t"; }));
  control.RequestStop();
  EXPECT_THAT(ask_.get(), StatusIs(absl::StatusCode::kCancelled,
                                   "interrupted; the request is withdrawn"));
  EXPECT_EQ(Requested(), "f");
}

// The cutover that waits for a writer ends with the request.
TEST_F(CutoverRequestTest, IsWithdrawnWhileTheRunWaitsForWriters) {
  process_.reset();
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(SqlConnection writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(writer.Exec("BEGIN; CREATE TEMPORARY TABLE own (id int)"));
  Control control;
  ask_ = std::async(std::launch::async, [&] {
    return RunCutover({.target = target_->ConnInfo("app"),
                       .name = "test",
                       .wait = kTestPatience,
                       .process_grace = kTestPatience},
                      control, told_);
  });
  ASSERT_TRUE(run.events().WaitForPhase(Phase::kCutover));
  control.RequestStop();
  EXPECT_EQ(ask_.get().status().code(), absl::StatusCode::kCancelled);
  EXPECT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text.find(
               "cutover given up, still following: the request "
               "was withdrawn") == 0;
  }));
  ASSERT_OK(writer.Exec("COMMIT"));
  EXPECT_FALSE(run.ended());
  run.control().RequestCutover();
  EXPECT_OK(run.Result());
}

TEST_F(CutoverRequestTest, TellsWhatItWaitsFor) {
  const auto tells = [this](absl::string_view row, absl::string_view what) {
    EXPECT_OK(target_->Exec(absl::StrCat("UPDATE walferry.migration SET ", row),
                            "app"));
    return told_.WaitFor<Lag>(
        [what](const Lag& lag) { return lag.waiting_for == what; });
  };
  Ask(absl::ZeroDuration());
  EXPECT_TRUE(tells("phase = 'copy'", "the phase copy to end"));
  EXPECT_TRUE(tells("phase = 'follow', waiting_for = 'you'", "you"));
  process_.reset();
  EXPECT_FALSE(ask_.get().ok());
}

}  // namespace
}  // namespace walferry
