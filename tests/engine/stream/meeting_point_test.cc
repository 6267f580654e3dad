#include "engine/stream/meeting_point.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::_;

// A reading thread that stands still whenever it is asked to.
class MeetingPointTest : public ::testing::Test {
 protected:
  void SetUp() override {
    reader_ = std::thread([this] {
      while (!done_.load()) {
        if (point_.hold_wanted()) point_.StandStill(Soon());
        std::this_thread::yield();
      }
    });
  }
  void TearDown() override {
    point_.Close();
    done_.store(true);
    reader_.join();
  }

  static absl::Time Soon() { return absl::Now() + kTestPatience; }
  static Begin BeginOf(uint32_t xid, uint64_t commit) {
    return {.final_lsn = Lsn(commit), .commit_time = 0, .xid = xid};
  }
  static XidSnapshot Seeing(const std::string& text) {
    return XidSnapshot::Parse(text).value_or(XidSnapshot());
  }

  // The stream is divided by the snapshot, up to position 1000.
  void Sort(const std::string& snapshot) {
    ASSERT_OK(point_.Hold(Soon()));
    barrier_ = std::make_shared<MeetingBarrier>(kTestPatience);
    point_.Sort(Seeing(snapshot), Lsn(1000), barrier_);
  }
  absl::Status Sorted() { return point_.AwaitSorted(absl::InfinitePast()); }

  MeetingPoint point_;
  std::shared_ptr<MeetingBarrier> barrier_;
  std::atomic<bool> done_ = false;
  std::thread reader_;
};

TEST_F(MeetingPointTest, CutsBeforeTheFirstThatTheSnapshotDoesNotSee) {
  EXPECT_FALSE(point_.CutsBefore(BeginOf(10, 100)));
  ASSERT_NO_FATAL_FAILURE(Sort("12:15:12,14"));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(13, 200)));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(11, 300)));
  EXPECT_TRUE(point_.CutsBefore(BeginOf(14, 400)));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(16, 500)));
  EXPECT_THAT(Sorted(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                 "the stream did not come to 0/3E8 in time"));
  EXPECT_FALSE(point_.CutsAt(Lsn(999)));
  EXPECT_FALSE(point_.CutsAt(Lsn(1000)));
  EXPECT_OK(Sorted());
  EXPECT_EQ(point_.position(), Lsn(400));
  EXPECT_FALSE(barrier_->lifted());
}

TEST_F(MeetingPointTest, CutsAtTheEndIfTheSnapshotSeesAll) {
  ASSERT_NO_FATAL_FAILURE(Sort("15:15:"));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(13, 200)));
  EXPECT_TRUE(point_.CutsAt(Lsn(1001)));
  EXPECT_OK(Sorted());
  EXPECT_EQ(point_.position(), Lsn(1000));
  // Once.
  EXPECT_FALSE(point_.CutsAt(Lsn(1002)));
}

TEST_F(MeetingPointTest, CutsBeforeATransactionThatCommitsBehindTheEnd) {
  ASSERT_NO_FATAL_FAILURE(Sort("15:15:"));
  EXPECT_TRUE(point_.CutsBefore(BeginOf(16, 1000)));
  EXPECT_OK(Sorted());
  EXPECT_EQ(point_.position(), Lsn(1000));
}

// Two transactions committed in one order, and ended in the other.
TEST_F(MeetingPointTest, GivesASnapshotUpThatSeesWhatIsBehindTheCut) {
  ASSERT_NO_FATAL_FAILURE(Sort("12:15:12"));
  EXPECT_TRUE(point_.CutsBefore(BeginOf(12, 200)));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(13, 300)));
  EXPECT_THAT(Sorted(),
              StatusIs(absl::StatusCode::kAborted,
                       "transactions ended on the source in another order "
                       "than they committed"));
  EXPECT_TRUE(barrier_->lifted());
  // Another one may divide it.
  ASSERT_NO_FATAL_FAILURE(Sort("15:15:"));
  EXPECT_TRUE(point_.CutsAt(Lsn(1000)));
  EXPECT_OK(Sorted());
}

TEST_F(MeetingPointTest, KnowsWhatWasTakenAndTheSnapshotDoesNotSee) {
  for (const uint32_t xid : {10u, 12u, 14u}) {
    EXPECT_FALSE(point_.CutsBefore(BeginOf(xid, xid)));
  }
  ASSERT_OK(point_.Hold(Soon()));
  EXPECT_OK(point_.CheckTaken(Seeing("11:15:11,13")));
  for (const char* const snapshot : {"11:15:11,12", "10:15:10", "14:14:"}) {
    EXPECT_THAT(point_.CheckTaken(Seeing(snapshot)),
                StatusIs(absl::StatusCode::kAborted,
                         "a transaction that was applied already still ends "
                         "on the source"))
        << snapshot;
  }
}

TEST_F(MeetingPointTest, DoesNotGuessWhatWasTakenLongAgo) {
  EXPECT_FALSE(point_.CutsBefore(BeginOf(100, 1)));
  EXPECT_FALSE(point_.CutsBefore(BeginOf(100 + TakenXids::kWindow, 2)));
  ASSERT_OK(point_.Hold(Soon()));
  EXPECT_THAT(
      point_.CheckTaken(Seeing("100:33554432:100")),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "source: transaction 100 still runs, and 16777216 others have "
               "begun since: whether it was applied already is not known any "
               "more"));
}

TEST_F(MeetingPointTest, TheEndOfTheStreamEndsTheMeeting) {
  ASSERT_NO_FATAL_FAILURE(Sort("15:15:"));
  point_.Close();
  EXPECT_THAT(Sorted(), StatusIs(absl::StatusCode::kUnavailable,
                                 "the stream ended during the meeting"));
  EXPECT_TRUE(barrier_->lifted());
  EXPECT_THAT(point_.Hold(Soon()), StatusIs(absl::StatusCode::kUnavailable, _));
  EXPECT_FALSE(point_.hold_wanted());
}

TEST_F(MeetingPointTest, HasOneBarrierAtATime) {
  ASSERT_NO_FATAL_FAILURE(Sort("15:15:"));
  EXPECT_THAT(point_.Hold(Soon()),
              StatusIs(absl::StatusCode::kAborted,
                       "the appliers still stand at another meeting"));
  barrier_->Lift();
  EXPECT_OK(point_.Hold(Soon()));
}

TEST(MeetingBarrier, IsLiftedByItselfWhenItHasStoodForLong) {
  MeetingBarrier barrier(absl::Milliseconds(1));
  barrier.Stand(Lsn(7));
  EXPECT_TRUE(barrier.lifted());
  EXPECT_TRUE(barrier.overdue());
  EXPECT_EQ(barrier.AwaitStanding(absl::InfiniteFuture()), std::nullopt);
}

TEST(MeetingBarrier, TellsWhereTheApplierStands) {
  MeetingBarrier barrier(kTestPatience);
  EXPECT_EQ(barrier.AwaitStanding(absl::InfinitePast()), std::nullopt);
  std::thread applier([&] { barrier.Stand(Lsn(7)); });
  EXPECT_EQ(barrier.AwaitStanding(absl::Now() + kTestPatience), Lsn(7));
  barrier.Lift();
  applier.join();
  EXPECT_FALSE(barrier.overdue());
  // Whoever comes later does not stop.
  barrier.Stand(Lsn(8));
}

TEST(TakenXids, GoesRound) {
  TakenXids taken;
  EXPECT_EQ(taken.Has(5), TakenXids::Answer::kNo);
  EXPECT_FALSE(taken.HasFrom(5));
  taken.Add(0xfffffff0);
  taken.Add(0x10);
  EXPECT_EQ(taken.Has(0xfffffff0), TakenXids::Answer::kYes);
  EXPECT_EQ(taken.Has(0xfffffff1), TakenXids::Answer::kNo);
  EXPECT_EQ(taken.Has(0x10), TakenXids::Answer::kYes);
  EXPECT_EQ(taken.Has(0x11), TakenXids::Answer::kNo);
  EXPECT_TRUE(taken.HasFrom(0x10));
  EXPECT_TRUE(taken.HasFrom(0xffffff00));
  EXPECT_FALSE(taken.HasFrom(0x11));
}

TEST(TakenXids, ForgetsWhatStoodAtTheSamePlaceBefore) {
  TakenXids taken;
  constexpr uint32_t kFirst = 1000;
  for (uint32_t xid = kFirst; xid < kFirst + 300; ++xid) taken.Add(xid);
  // Over the whole window in steps of all kinds.
  uint32_t newest = kFirst + 300;
  for (const uint32_t step : {1u, 63u, 64u, 65u, 1000u}) {
    newest += step;
    taken.Add(newest);
  }
  taken.Add(kFirst + TakenXids::kWindow + 150);
  EXPECT_EQ(taken.Has(kFirst + 150), TakenXids::Answer::kTooLongAgo);
  EXPECT_EQ(taken.Has(kFirst + 151), TakenXids::Answer::kYes);
  EXPECT_EQ(taken.Has(newest), TakenXids::Answer::kYes);
  for (uint32_t xid = newest + 1; xid < newest + 2000; ++xid) {
    ASSERT_EQ(taken.Has(xid), TakenXids::Answer::kNo);
  }
  for (uint32_t place = 0; place < 150; ++place) {
    ASSERT_EQ(taken.Has(kFirst + TakenXids::kWindow + place),
              TakenXids::Answer::kNo);
  }
}

}  // namespace
}  // namespace walferry
