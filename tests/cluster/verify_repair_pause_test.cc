// RepairRows where a stream stands for it, and may go on at any time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_repair.h"
#include "engine/verify/stream_pause.h"
#include "tests/cluster/verify_repair_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ScriptedPause : public StreamPause {
 public:
  // The question for its position that is answered by no; 0: none is.
  explicit ScriptedPause(int moves_at) : moves_at_(moves_at) {}

  void GoOn() { over_.Raise(); }

  absl::Status Begin(PgConnection& target) override {
    return target.QueryValue("SELECT 1").status();
  }
  const Interrupt& over() const override { return over_; }
  absl::Status CheckStanding() override {
    return over_.raised() ? absl::AbortedError("it goes on") : absl::OkStatus();
  }
  absl::Status CheckPosition(PgConnection& /*target*/) override {
    if (++asked_ != moves_at_) return absl::OkStatus();
    return absl::AbortedError("it has moved");
  }

 private:
  const int moves_at_;
  int asked_ = 0;
  Interrupt over_;
};

class VerifyRepairPauseTest : public VerifyRepairTest {
 protected:
  // `large` is repaired before `small`; each asks twice for the position.
  void Plant() {
    OnBoth(
        "CREATE TABLE small (id int PRIMARY KEY, v text);"
        "INSERT INTO small SELECT i, 'v' FROM generate_series(1, 10) i;"
        "CREATE TABLE large (id int PRIMARY KEY, v text);"
        "INSERT INTO large SELECT i, repeat('v', 90) FROM generate_series(1, "
        "5000) i");
    ASSERT_OK(
        OnTarget("UPDATE small SET v = 'damaged' WHERE id = 1;"
                 "UPDATE large SET v = 'damaged' WHERE id = 1"));
  }
  std::string Damaged() {
    return TargetValue(
               "SELECT string_agg(t, ' ') FROM (SELECT 'large' AS t FROM large "
               "WHERE v = 'damaged' UNION ALL SELECT 'small' FROM small WHERE "
               "v = 'damaged') AS all_of_them")
        .value_or("none");
  }

  // Names of the tables that are left.
  std::vector<std::string> LeftBy(StreamPause& pause) {
    Control control;
    const VerifyOptions options = RepairOptions();
    auto snapshots = TakeSnapshotPair(options.endpoints, &control.interrupt());
    if (!snapshots.ok()) return {snapshots.status().ToString()};
    const auto compared =
        CompareSnapshots(options, nullptr, **snapshots, control, events_);
    if (!compared.ok()) return {compared.status().ToString()};
    const auto repaired = RepairRows({.pause = &pause}, compared->rows,
                                     **snapshots, control.interrupt(), events_);
    if (!repaired.ok()) return {repaired.status().ToString()};
    why_left_ = repaired->why_left;
    std::vector<std::string> left;
    for (const DifferingPiece& piece : repaired->left) {
      left.push_back(compared->rows.pairs[piece.table].name.name);
    }
    return left;
  }

  absl::Status why_left_;
};

TEST_F(VerifyRepairPauseTest, RepairsAllWhileItStands) {
  ASSERT_NO_FATAL_FAILURE(Plant());
  ScriptedPause pause(0);
  EXPECT_THAT(LeftBy(pause), IsEmpty());
  EXPECT_OK(why_left_);
  EXPECT_EQ(Damaged(), "none");
}

TEST_F(VerifyRepairPauseTest, LeavesWhatItHasNotBegun) {
  ASSERT_NO_FATAL_FAILURE(Plant());
  ScriptedPause pause(3);
  EXPECT_THAT(LeftBy(pause), ElementsAre("small"));
  EXPECT_THAT(why_left_, StatusIs(absl::StatusCode::kAborted, "it has moved"));
  EXPECT_EQ(Damaged(), "small");
}

TEST_F(VerifyRepairPauseTest, CommitsNothingThatWasNotProved) {
  ASSERT_NO_FATAL_FAILURE(Plant());
  ScriptedPause pause(2);
  EXPECT_THAT(LeftBy(pause), ElementsAre("small", "large"));
  EXPECT_EQ(Damaged(), "large small");
}

TEST_F(VerifyRepairPauseTest, HoldsNobodyUpWhenItIsOver) {
  ASSERT_NO_FATAL_FAILURE(Plant());
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(other.Exec("BEGIN; LOCK TABLE large IN ROW EXCLUSIVE MODE"));
  ScriptedPause pause(0);
  std::vector<std::string> left;
  std::thread repairer([&] { left = LeftBy(pause); });
  const auto waiting = [this](const char* count) {
    return WaitUntil([&] {
      return TargetValue("SELECT count(*) FROM pg_locks WHERE NOT granted")
                 .value_or("") == count;
    });
  };
  EXPECT_TRUE(waiting("1"));
  pause.GoOn();
  repairer.join();
  EXPECT_THAT(left, ElementsAre("small", "large"));
  EXPECT_THAT(why_left_, StatusIs(absl::StatusCode::kAborted, "it goes on"));
  EXPECT_TRUE(waiting("0"));
  EXPECT_OK(other.Exec("COMMIT"));
  EXPECT_EQ(Damaged(), "large small");
}

}  // namespace
}  // namespace walferry
