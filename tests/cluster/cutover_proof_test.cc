// A cutover only of what was found equal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "engine/migration/migration.h"
#include "engine/migration_proof.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Answers as a test wants.
class PlannedProof : public MigrationProof {
 public:
  // Of the first, second, ... comparison.
  using Answer =
      std::function<absl::StatusOr<ProofFound>(int number, Control& control)>;
  explicit PlannedProof(Answer answer) : answer_(std::move(answer)) {}

  VerifyMethod method() const override { return VerifyMethod::kChecksum; }
  absl::StatusOr<ProofFound> Compare(const Endpoints&, Control& control,
                                     EventSink&) override {
    return answer_(++begun_, control);
  }

  int begun() const { return begun_; }

 private:
  const Answer answer_;
  std::atomic<int> begun_ = 0;
};

using State = ComparisonResult::State;

ProofFound Equal() { return {.state = State::kEqual, .text = "all is equal"}; }
ProofFound Different() {
  return {.state = State::kDifferent, .text = "1 row in 1 table"};
}

// Only a stop ends it.
absl::StatusOr<ProofFound> Endless(Control& control) {
  const absl::Status stopped =
      control.interrupt().Sleep(absl::InfiniteDuration());
  return stopped.ok() ? absl::InternalError("not stopped") : stopped;
}

bool Told(const BackgroundRun& run, const std::string& text) {
  return run.events().WaitFor<Notice>([&](const Notice& notice) {
    return absl::StrContains(notice.text, text);
  });
}

class CutoverProofTest : public CutoverTest {
 protected:
  MigrateOptions OptionsWith(MigrationProof& proof) const {
    MigrateOptions options = Options();
    options.proof = &proof;
    return options;
  }

  MigrationStatus Status() const {
    Control control;
    absl::StatusOr<MigrationStatus> status = RunStatus(
        {.target = target_->ConnInfo("app"), .name = Options().endpoints.name},
        control);
    EXPECT_OK(status);
    return status.ok() ? *std::move(status) : MigrationStatus();
  }
};

TEST_F(CutoverProofTest, IsGivenUpIfTheTargetIsAnother) {
  std::atomic<bool> mended = false;
  PlannedProof proof([&](int, Control&) -> absl::StatusOr<ProofFound> {
    return mended ? Equal() : Different();
  });
  BackgroundRun run(OptionsWith(proof));
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  EXPECT_TRUE(Told(run,
                   "cutover given up, still following: the target is not known "
                   "to be equal to the source: 1 row in 1 table; walferry "
                   "verify --online names the rows; with --verify off nothing "
                   "is compared; stop the writers and ask again"));
  EXPECT_FALSE(run.ended());
  const MigrationStatus differs = Status();
  EXPECT_EQ(differs.comparison.state, State::kDifferent);
  EXPECT_EQ(differs.comparison.method, VerifyMethod::kChecksum);
  EXPECT_EQ(differs.comparison.found, "1 row in 1 table");
  EXPECT_LT(absl::Now() - differs.comparison.at, absl::Minutes(5));
  mended = true;
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.comparison.state, State::kEqual);
  EXPECT_EQ(report.comparison.found, "");
  const MigrationStatus done = Status();
  EXPECT_EQ(done.comparison.state, State::kEqual);
  ASSERT_TRUE(done.report.has_value());
  EXPECT_EQ(done.report->comparison.state, State::kEqual);
  ExpectEqual();
}

TEST_F(CutoverProofTest, IsGivenUpIfNobodyKnows) {
  PlannedProof proof([](int, Control&) -> absl::StatusOr<ProofFound> {
    return absl::UnavailableError("target: connection lost");
  });
  BackgroundRun run(OptionsWith(proof));
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  EXPECT_TRUE(Told(run,
                   "cutover given up, still following: the target is not known "
                   "to be equal to the source: they could not be compared: "
                   "target: connection lost; "));
  EXPECT_EQ(Status().comparison.state, State::kUnknown);
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
}

TEST_F(CutoverProofTest, EndsARunThatNobodyLooksAt) {
  PlannedProof proof([](int, Control&) { return Different(); });
  MigrateOptions options = OptionsWith(proof);
  options.cutover = CutoverMode::kAuto;
  BackgroundRun run(options);
  EXPECT_THAT(run.Result().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the target is not known to be equal to the "
                                 "source: 1 row in 1 table")));
}

TEST_F(CutoverProofTest, IsMadeOnceMoreWhileTheSourceIsStill) {
  bool read_only = false;
  PlannedProof proof([&](int number, Control&) -> absl::StatusOr<ProofFound> {
    if (number == 2) {
      read_only = !source_->Exec("DELETE FROM notes", "app").ok();
    }
    return Equal();
  });
  MigrateOptions options = OptionsWith(proof);
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_EQ(proof.begun(), 2);
  EXPECT_TRUE(read_only);
  ExpectEqual();
}

TEST_F(CutoverProofTest, ThatFailsWhileTheSourceIsStillLeavesItWritable) {
  PlannedProof proof(
      [](int number, Control&) { return number == 2 ? Different() : Equal(); });
  MigrateOptions options = OptionsWith(proof);
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  EXPECT_TRUE(Told(run,
                   "cutover given up, still following: the target is not "
                   "known to be equal to the source: 1 row in 1 table"));
  ExpectWritable();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverProofTest, IsNotMadeWhileTheSourceIsStillBeyondTheBudget) {
  PlannedProof proof([](int number, Control& control) {
    return number == 2 ? Endless(control) : Equal();
  });
  MigrateOptions options = OptionsWith(proof);
  options.verify_budget = absl::Seconds(1);
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_EQ(proof.begun(), 2);
  EXPECT_TRUE(Told(run,
                   "a comparison while the source is still takes longer than "
                   "the --verify-budget of 1s; the one of "));
}

TEST_F(CutoverProofTest, IsMadeOnceWithoutABudget) {
  PlannedProof proof([](int, Control&) { return Equal(); });
  MigrateOptions options = OptionsWith(proof);
  options.verify_budget = absl::ZeroDuration();
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_EQ(proof.begun(), 1);
}

TEST_F(CutoverProofTest, IsMadeAgainAndAgainWhileChangesFlow) {
  PlannedProof proof([](int number, Control& control) {
    return number == 3 ? Endless(control) : Equal();
  });
  MigrateOptions options = OptionsWith(proof);
  options.verify_every = absl::Milliseconds(100);
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_TRUE(WaitUntil([&] { return proof.begun() == 3; }));
  // A stop does not wait for it.
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(proof.begun(), 3);
}

}  // namespace
}  // namespace walferry
