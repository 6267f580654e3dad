// RunMigrationWithOthers: what a migration does with a write that comes while
// it waits for the others, and behind their last vote.

#include "engine/ledger/joint_cutover.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/migrate_fixture.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr char kWrite[] =
    "UPDATE accounts SET balance = balance + 1 WHERE id = 1";

// Others that are there at once, and a writer that comes at two bad moments.
class OthersAndAWriter : public JointCutover {
 public:
  explicit OthersAndAWriter(const PgServer& source) : source_(source) {}

  absl::StatusOr<bool> Begins(bool ready) override { return ready; }
  absl::Status Check() override { return absl::OkStatus(); }
  absl::Status NoteFreeze(const LedgerObject&) override {
    return absl::OkStatus();
  }
  void Leave(const absl::Status& why) override { left_.push_back(why); }

  absl::StatusOr<bool> Agree(
      JointStep step, bool yes,
      absl::FunctionRef<absl::StatusOr<bool>(const std::string&)> wait)
      override {
    if (step != JointStep::kConfirmed) return yes;
    heard_.push_back(yes);
    if (!yes || heard_.size() > 2) return yes;
    EXPECT_OK(source_.Exec(kWrite, "app"));
    // The second comes when all have voted.
    if (heard_.size() == 2) return true;
    while (true) {
      const absl::StatusOr<bool> holds = wait("other");
      if (!holds.ok() || !*holds) return holds;
    }
  }

  const std::vector<bool>& heard() const { return heard_; }
  const std::vector<absl::Status>& left() const { return left_; }

 private:
  const PgServer& source_;
  std::vector<bool> heard_;
  std::vector<absl::Status> left_;
};

using JointCutoverTest = MigrateTest;

TEST_F(JointCutoverTest, TakesAYesBackAndCarriesOverWhatComesBehindTheVote) {
  OthersAndAWriter others(*source_);
  Control control;
  EventRecorder events;
  const absl::StatusOr<Report> report =
      RunMigrationWithOthers(Options(), others, control, events);
  ASSERT_OK(report);
  EXPECT_THAT(others.heard(), ::testing::ElementsAre(true, true, true));
  EXPECT_THAT(others.left(), ::testing::IsEmpty());
  EXPECT_THAT(report->remarks,
              ::testing::Contains(
                  "the source was written after all databases had agreed to "
                  "cut over: that is carried over too, but the others did not "
                  "wait for it; see that nothing writes to it any more"));
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
