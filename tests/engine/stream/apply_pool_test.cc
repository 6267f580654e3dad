#include "engine/stream/apply_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

// A transaction, or its part, without changes; it is known by its xid.
std::unique_ptr<ChangeBatch> BatchOf(uint32_t xid, bool complete = true,
                                     bool continued = false) {
  auto batch = std::make_unique<ChangeBatch>();
  if (continued) {
    batch->ContinueTransaction(
        {.xid = xid, .commit_lsn = Lsn(xid), .commit_time = xid});
  } else {
    batch->BeginTransaction(
        {.final_lsn = Lsn(xid), .commit_time = xid, .xid = xid});
  }
  if (complete) {
    batch->CommitTransaction(
        {.commit_lsn = Lsn(xid), .end_lsn = Lsn(xid + 1), .commit_time = xid});
  }
  return batch;
}

uint32_t XidOf(const ChangeBatch& batch) {
  return batch.transactions().front().xid;
}

// What the appliers of a test do, and how long: each step of a batch ends when
// the test lets it.
class Stage {
 public:
  // Everything that happened, like "enter 1", "ahead 2", "commit 1".
  std::vector<std::string> Said() const {
    absl::MutexLock lock(&mutex_);
    return said_;
  }
  std::vector<std::string> Said(absl::string_view kind) const {
    std::vector<std::string> result;
    for (const std::string& line : Said()) {
      if (line.rfind(std::string(kind), 0) == 0) result.push_back(line);
    }
    return result;
  }
  bool Has(const std::string& line) const {
    const std::vector<std::string> said = Said();
    return std::find(said.begin(), said.end(), line) != said.end();
  }
  void Say(std::string line) {
    absl::MutexLock lock(&mutex_);
    said_.push_back(std::move(line));
  }

  void Hold(uint32_t xid) {
    absl::MutexLock lock(&mutex_);
    held_.insert(xid);
  }
  void Release(uint32_t xid) {
    absl::MutexLock lock(&mutex_);
    held_.erase(xid);
  }
  // For good: a test that fails must end, too.
  void ReleaseAll() {
    absl::MutexLock lock(&mutex_);
    open_ = true;
  }
  void AwaitRelease(uint32_t xid) const {
    absl::MutexLock lock(&mutex_);
    const auto released = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
      return open_ || held_.count(xid) == 0;
    };
    mutex_.Await(absl::Condition(&released));
  }

  // Apply() of it fails.
  uint32_t failing = 0;

 private:
  mutable absl::Mutex mutex_;
  std::vector<std::string> said_ ABSL_GUARDED_BY(mutex_);
  std::set<uint32_t> held_ ABSL_GUARDED_BY(mutex_);
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class FakeApplier : public AheadApplier {
 public:
  FakeApplier(Stage& stage, int pid) : stage_(stage), pid_(pid) {}

  void Enter(const ChangeBatch& batch) override {
    stage_.Say(absl::StrCat("enter ", XidOf(batch)));
  }
  void ApplyAhead(const ChangeBatch& batch) override {
    stage_.Say(absl::StrCat("ahead ", XidOf(batch)));
    stage_.AwaitRelease(XidOf(batch));
    stage_.Say(absl::StrCat("was ahead ", XidOf(batch)));
  }
  void GiveWay(int pid) override {
    if (pid == pid_) stage_.Say("gives way to itself");
    stage_.Say("gives way");
  }
  void GiveUp() override { stage_.Say("gives up"); }
  int session_pid() const override { return pid_; }

  absl::StatusOr<ApplyCounts> Apply(const ChangeBatch& batch) override {
    const uint32_t xid = XidOf(batch);
    stage_.Say(absl::StrCat("apply ", xid));
    stage_.AwaitRelease(xid);
    if (xid == stage_.failing) {
      conflict_ = Conflict{.xid = xid};
      return absl::FailedPreconditionError("a conflict");
    }
    stage_.Say(absl::StrCat("commit ", xid, " by ", pid_));
    return ApplyCounts{.transactions = batch.open() ? 0 : 1};
  }
  absl::Status Advance(Lsn position) override {
    stage_.Say(absl::StrCat("commit to ", position.value()));
    return absl::OkStatus();
  }
  const std::optional<Conflict>& conflict() const override { return conflict_; }
  int64_t fallbacks() const override { return 0; }
  int64_t undone() const override { return 0; }

 private:
  Stage& stage_;
  const int pid_;
  std::optional<Conflict> conflict_;
};

class ApplyPoolTest : public ::testing::Test {
 protected:
  void TearDown() override { stage_.ReleaseAll(); }

  void Start(int appliers, std::optional<Lsn> until = std::nullopt) {
    std::vector<std::unique_ptr<AheadApplier>> fakes;
    for (int pid = 1; pid <= appliers; ++pid) {
      fakes.push_back(std::make_unique<FakeApplier>(stage_, pid));
    }
    queue_ = std::make_unique<BatchQueue>(static_cast<size_t>(appliers));
    pool_ = std::make_unique<ApplyPool>(
        std::move(fakes),
        ApplyPool::Context{
            .queue = *queue_,
            .state = state_,
            .until = until,
            .on_end = [this](const absl::Status& status,
                             const std::optional<Conflict>& conflict) {
              ended_ = status;
              conflict_ = conflict;
              queue_->Close();
              pool_->Close();
            }});
    pool_->Start();
  }
  void Push(std::unique_ptr<ChangeBatch> batch) {
    queue_->Push({.batch = std::move(batch), .advance = Lsn()});
  }
  // Until all that was pushed is committed.
  bool Drained() {
    return WaitUntil([this] { return queue_->Idle(); });
  }
  void End() {
    queue_->Close();
    pool_->Close();
    pool_->Join();
  }
  bool Happens(const std::string& line) {
    return WaitUntil([&] { return stage_.Has(line); });
  }
  // The source transactions in the order of their commits.
  std::string Commits() const {
    std::vector<std::string> xids;
    for (const std::string& line : stage_.Said("commit")) {
      xids.push_back(line.substr(7, line.find(" by") - 7));
    }
    return absl::StrJoin(xids, " ");
  }

  Stage stage_;
  StreamState state_{Lsn(0)};
  std::unique_ptr<BatchQueue> queue_;
  std::unique_ptr<ApplyPool> pool_;
  absl::Status ended_;
  std::optional<Conflict> conflict_;
};

TEST_F(ApplyPoolTest, CommitsInSourceOrderInWhateverOrderTheWorkIsDone) {
  std::vector<uint32_t> order = {1, 2, 3, 4};
  uint32_t first = 1;
  Start(4);
  do {
    for (uint32_t step = 0; step < 4; ++step) stage_.Hold(first + step);
    for (uint32_t step = 0; step < 4; ++step) Push(BatchOf(first + step));
    ASSERT_TRUE(Happens(absl::StrCat("apply ", first)));
    for (uint32_t step = 1; step < 4; ++step) {
      ASSERT_TRUE(Happens(absl::StrCat("ahead ", first + step)));
    }
    for (const uint32_t which : order) {
      const uint32_t xid = first + which - 1;
      stage_.Release(xid);
      if (which == 1) continue;
      ASSERT_TRUE(Happens(absl::StrCat("was ahead ", xid)));
    }
    ASSERT_TRUE(Drained());
    first += 4;
    EXPECT_EQ(state_.applied(), Lsn(first));
  } while (std::next_permutation(order.begin(), order.end()));
  End();
  std::vector<uint32_t> all;
  for (uint32_t xid = 1; xid < first; ++xid) all.push_back(xid);
  EXPECT_EQ(Commits(), absl::StrJoin(all, " "));
  EXPECT_EQ(stage_.Said("enter").size(), all.size());
  EXPECT_EQ(state_.counts().transactions, static_cast<int64_t>(all.size()));
}

TEST_F(ApplyPoolTest, EntersBatchesInSourceOrder) {
  Start(3);
  for (uint32_t xid = 1; xid <= 200; ++xid) Push(BatchOf(xid));
  ASSERT_TRUE(Drained());
  End();
  const std::vector<std::string> entered = stage_.Said("enter");
  ASSERT_EQ(entered.size(), 200u);
  for (uint32_t xid = 1; xid <= 200; ++xid) {
    EXPECT_EQ(entered[xid - 1], absl::StrCat("enter ", xid));
  }
}

TEST_F(ApplyPoolTest, StatesMoveWithTheCommitsOnly) {
  Start(2);
  stage_.Hold(1);
  Push(BatchOf(1));
  Push(BatchOf(2));
  queue_->Push({.batch = nullptr, .advance = Lsn(9)});
  ASSERT_TRUE(Happens("was ahead 2"));
  EXPECT_EQ(state_.applied(), Lsn(0));
  EXPECT_EQ(state_.counts().transactions, 0);
  EXPECT_EQ(queue_->OldestCommitTime(), 1);
  EXPECT_FALSE(queue_->Wanted());
  stage_.Release(1);
  ASSERT_TRUE(Drained());
  EXPECT_EQ(state_.applied(), Lsn(9));
  EXPECT_EQ(Commits(), "1 2 to 9");
  EXPECT_TRUE(queue_->Wanted());
  End();
}

TEST_F(ApplyPoolTest, ABatchThatFailsIsTheLastWhateverIsAheadOfIt) {
  stage_.failing = 2;
  Start(3);
  for (uint32_t xid = 1; xid <= 4; ++xid) stage_.Hold(xid);
  for (uint32_t xid = 1; xid <= 4; ++xid) Push(BatchOf(xid));
  ASSERT_TRUE(Happens("ahead 2"));
  ASSERT_TRUE(Happens("ahead 3"));
  stage_.Release(3);
  ASSERT_TRUE(Happens("was ahead 3"));
  stage_.Release(1);
  stage_.Release(2);
  // The fourth may have been taken by whoever did the first.
  stage_.Release(4);
  pool_->Join();
  EXPECT_EQ(Commits(), "1");
  EXPECT_TRUE(stage_.Has("gives up"));
  EXPECT_EQ(state_.applied(), Lsn(2));
  EXPECT_THAT(ended_,
              StatusIs(absl::StatusCode::kFailedPrecondition, "a conflict"));
  ASSERT_TRUE(conflict_.has_value());
  EXPECT_EQ(conflict_->xid, 2u);
  EXPECT_FALSE(stage_.Has("apply 3"));
}

TEST_F(ApplyPoolTest, OneAppliesALargeTransactionAndNothingBehindItIsTaken) {
  Start(3);
  Push(BatchOf(1, /*complete=*/false));
  ASSERT_TRUE(WaitUntil([&] { return stage_.Said("commit").size() == 1; }));
  stage_.Hold(1);
  Push(BatchOf(1, /*complete=*/false, /*continued=*/true));
  Push(BatchOf(1, /*complete=*/true, /*continued=*/true));
  Push(BatchOf(2));
  ASSERT_TRUE(WaitUntil([&] { return stage_.Said("apply 1").size() == 2; }));
  EXPECT_EQ(state_.applied(), Lsn(0));
  EXPECT_EQ(state_.counts().transactions, 0);
  EXPECT_FALSE(stage_.Has("enter 2"));
  stage_.Release(1);
  ASSERT_TRUE(Drained());
  End();
  const std::vector<std::string> commits = stage_.Said("commit 1");
  ASSERT_EQ(commits.size(), 3u);
  EXPECT_EQ(commits[0], commits[1]);
  EXPECT_EQ(commits[0], commits[2]);
  EXPECT_EQ(Commits(), "1 1 1 2");
  EXPECT_EQ(state_.counts().transactions, 2);
}

TEST_F(ApplyPoolTest, StandsAtABarrierWithAllBeforeItCommittedAndNothingElse) {
  for (const int appliers : {1, 4}) {
    Start(appliers);
    const auto barrier = std::make_shared<MeetingBarrier>(kTestPatience);
    const auto first = static_cast<uint32_t>(state_.applied().value()) + 1;
    Push(BatchOf(first));
    Push(BatchOf(first + 1));
    queue_->Push({.batch = nullptr, .advance = Lsn(), .barrier = barrier});
    Push(BatchOf(first + 2));
    EXPECT_EQ(barrier->AwaitStanding(absl::Now() + kTestPatience),
              Lsn(first + 2));
    if (appliers > 1) {
      // Whoever waits for his turn looks around now and then.
      const size_t looks = stage_.Said("gives way").size();
      ASSERT_TRUE(
          WaitUntil([&] { return stage_.Said("gives way").size() > looks; }));
    }
    EXPECT_EQ(state_.applied(), Lsn(first + 2));
    EXPECT_EQ(stage_.Said("commit").back().substr(0, 8),
              absl::StrCat("commit ", first + 1));
    EXPECT_FALSE(stage_.Has(absl::StrCat("apply ", first + 2)));
    EXPECT_FALSE(stage_.Has(absl::StrCat("ahead ", first + 2)));
    barrier->Lift();
    ASSERT_TRUE(Drained());
    EXPECT_EQ(state_.applied(), Lsn(first + 3));
    End();
    pool_.reset();
  }
}

TEST_F(ApplyPoolTest, WhoWaitsLooksWhetherTheOneBeforeWaitsForHim) {
  Start(2);
  stage_.Hold(1);
  Push(BatchOf(1));
  Push(BatchOf(2));
  ASSERT_TRUE(Happens("gives way"));
  stage_.Release(1);
  ASSERT_TRUE(Drained());
  End();
  EXPECT_FALSE(stage_.Has("gives way to itself"));
}

TEST_F(ApplyPoolTest, ClosingLetsTheOneWhoseTurnItIsCommit) {
  Start(2);
  stage_.Hold(1);
  Push(BatchOf(1));
  Push(BatchOf(2));
  ASSERT_TRUE(Happens("was ahead 2"));
  queue_->Close();
  pool_->Close();
  stage_.Release(1);
  pool_->Join();
  EXPECT_EQ(Commits(), "1");
  EXPECT_EQ(state_.applied(), Lsn(2));
}

TEST_F(ApplyPoolTest, EndsAtUntil) {
  Start(2, Lsn(5));
  Push(BatchOf(1));
  queue_->Push({.batch = nullptr, .advance = Lsn(5)});
  pool_->Join();
  EXPECT_OK(ended_);
  EXPECT_EQ(state_.applied(), Lsn(5));
}

TEST_F(ApplyPoolTest, OneAloneIsNeverAhead) {
  Start(1);
  for (uint32_t xid = 1; xid <= 3; ++xid) Push(BatchOf(xid));
  ASSERT_TRUE(Drained());
  End();
  EXPECT_EQ(Commits(), "1 2 3");
  EXPECT_THAT(stage_.Said("enter"), ElementsAre());
  EXPECT_THAT(stage_.Said("ahead"), ElementsAre());
}

}  // namespace
}  // namespace walferry
