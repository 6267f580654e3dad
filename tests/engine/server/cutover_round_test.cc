#include "engine/server/cutover_round.h"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

absl::StatusOr<bool> Pause(const std::string&) {
  absl::SleepFor(absl::Milliseconds(1));
  return true;
}

class CutoverRoundTest : public ::testing::Test {
 protected:
  CutoverRound& Make(CutoverMode mode = CutoverMode::kManual) {
    round_ =
        std::make_unique<CutoverRound>(std::vector<std::string>{"a", "b", "c"},
                                       mode, absl::Hours(1), control_);
    return *round_;
  }

  // Each of them follows, and is told to begin.
  void AllBegin() {
    for (const size_t place : {0, 1, 2}) {
      EXPECT_OK(round_->Of(place).Begins(true));
    }
    for (const size_t place : {0, 1, 2}) {
      EXPECT_THAT(round_->Of(place).Begins(true), IsOkAndHolds(true));
    }
  }

  // What each hears, if each says this.
  std::vector<absl::StatusOr<bool>> Agree(JointStep step,
                                          const std::vector<bool>& votes) {
    std::vector<absl::StatusOr<bool>> heard(votes.size());
    std::vector<std::thread> threads;
    for (size_t place = 0; place < votes.size(); ++place) {
      threads.emplace_back([&, place] {
        heard[place] = round_->Of(place).Agree(step, votes[place], Pause);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return heard;
  }

  static void ExpectAll(const std::vector<absl::StatusOr<bool>>& heard,
                        bool value) {
    for (const auto& one : heard) EXPECT_THAT(one, IsOkAndHolds(value));
  }

  Control control_;
  std::unique_ptr<CutoverRound> round_;
};

TEST_F(CutoverRoundTest, BeginsWhenItIsAskedForAndAllHaveCaughtUp) {
  CutoverRound& round = Make();
  EXPECT_EQ(round.Look().waiting_for, "databases to catch up: a, b, c");
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(false));
  control_.RequestCutover();
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(false));
  EXPECT_THAT(round.Of(1).Begins(true), IsOkAndHolds(false));
  EXPECT_EQ(round.Look().waiting_for, "databases to catch up: c");
  EXPECT_THAT(round.Of(2).Begins(true), IsOkAndHolds(true));
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(true));
  EXPECT_TRUE(round.Look().open);
}

TEST_F(CutoverRoundTest, GoesBackUntilAllSayYesAndThenThereIsNoWayBack) {
  CutoverRound& round = Make();
  round.SetAskedInLedger(true);
  AllBegin();
  ExpectAll(Agree(JointStep::kNear, {true, true, true}), true);
  ExpectAll(Agree(JointStep::kProved, {true, true, true}), true);
  ExpectAll(Agree(JointStep::kConfirmed, {true, false, true}), false);
  ExpectAll(Agree(JointStep::kProved, {true, true, true}), true);
  ExpectAll(Agree(JointStep::kConfirmed, {true, true, true}), true);
  round.Of(1).Leave(absl::UnavailableError("lost"));
  EXPECT_FALSE(round.TakeGivenUp().has_value());
  round.End(0, absl::OkStatus());
  round.End(2, absl::OkStatus());
  // Whoever is left cuts over alone, and nobody need ask again.
  EXPECT_THAT(round.Of(1).Begins(true), IsOkAndHolds(true));
  EXPECT_THAT(round.Of(1).Agree(JointStep::kConfirmed, true, Pause),
              IsOkAndHolds(true));
}

TEST_F(CutoverRoundTest, IsGivenUpByAllIfOneTakesTooLong) {
  CutoverRound& round = Make();
  control_.RequestCutover();
  AllBegin();
  std::vector<absl::StatusOr<bool>> heard(2);
  {
    std::vector<std::jthread> threads;
    for (const size_t place : {0, 1}) {
      threads.emplace_back([&, place] {
        heard[place] = round.Of(place).Agree(JointStep::kProved, true, Pause);
      });
    }
    round.Of(2).Leave(absl::DeadlineExceededError("is still being written"));
  }
  for (const auto& one : heard) {
    EXPECT_THAT(one, StatusIs(absl::StatusCode::kDeadlineExceeded,
                              "database c: is still being written"));
  }
  EXPECT_FALSE(control_.cutover_requested());
  // Told when all have left it, and then the next one begins.
  EXPECT_FALSE(round.TakeGivenUp().has_value());
  round.Of(0).Leave(heard[0].status());
  EXPECT_EQ(round.Look().waiting_for,
            "databases to leave a cutover given up: b; databases to catch up: "
            "a, c");
  round.Of(1).Leave(heard[1].status());
  const auto given_up = round.TakeGivenUp();
  ASSERT_TRUE(given_up.has_value());
  EXPECT_EQ(given_up->why, "database c: is still being written");
  EXPECT_EQ(given_up->then, CutoverRound::Then::kWhenAsked);
  control_.RequestCutover();
  AllBegin();
}

TEST_F(CutoverRoundTest, IsGivenUpByWhoWaitsTooLong) {
  CutoverRound& round = Make();
  control_.RequestCutover();
  AllBegin();
  const auto heard =
      round.Of(0).Agree(JointStep::kProved, true, [](const std::string& who) {
        return absl::DeadlineExceededError(absl::StrCat("waited for ", who));
      });
  EXPECT_THAT(heard,
              StatusIs(absl::StatusCode::kDeadlineExceeded, "waited for b, c"));
  EXPECT_THAT(round.Of(1).Check(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                            "database a: waited for b, c"));
}

TEST_F(CutoverRoundTest, OfALostLinkBeginsAnewByItself) {
  CutoverRound& round = Make();
  control_.RequestCutover();
  AllBegin();
  round.Of(0).Leave(absl::UnavailableError("lost"));
  EXPECT_THAT(round.Of(1).Check(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                            "database a: lost"));
  round.Of(1).Leave(absl::DeadlineExceededError("database a: lost"));
  round.Of(2).Leave(absl::DeadlineExceededError("database a: lost"));
  const auto given_up = round.TakeGivenUp();
  ASSERT_TRUE(given_up.has_value());
  EXPECT_EQ(given_up->then, CutoverRound::Then::kByItself);
  AllBegin();
}

TEST_F(CutoverRoundTest, EndsWithTheRequest) {
  CutoverRound& round = Make();
  round.SetAskedInLedger(true);
  AllBegin();
  EXPECT_OK(round.Of(0).Check());
  round.SetAskedInLedger(false);
  EXPECT_THAT(round.Of(0).Check(), StatusIs(absl::StatusCode::kDeadlineExceeded,
                                            "the request was withdrawn"));
}

TEST_F(CutoverRoundTest, IsNotMadeWithoutOneThatHasFailed) {
  CutoverRound& round = Make();
  for (const size_t place : {0, 1}) EXPECT_OK(round.Of(place).Begins(true));
  round.End(2, absl::FailedPreconditionError("no such type"));
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(false));
  control_.RequestCutover();
  round.SetAskedInLedger(false);
  EXPECT_EQ(round.Look().waiting_for,
            "somebody to mend what has failed: database c, which has failed");
  const auto given_up = round.TakeGivenUp();
  ASSERT_TRUE(given_up.has_value());
  EXPECT_EQ(given_up->then, CutoverRound::Then::kWhenMended);
  EXPECT_EQ(given_up->why,
            "it is not made without database c, which has failed; stop with "
            "Ctrl+C twice, mend what is named and run the same command again");
  EXPECT_FALSE(control_.cutover_requested());
}

TEST_F(CutoverRoundTest, CountsNoYesThatWasTakenBackBeforeTheLastVote) {
  CutoverRound& round = Make();
  control_.RequestCutover();
  AllBegin();
  absl::Notification taken_back;
  int asked = 0;
  absl::StatusOr<bool> heard;
  std::jthread first([&] {
    heard = round.Of(0).Agree(JointStep::kConfirmed, true,
                              [&](const std::string&) -> absl::StatusOr<bool> {
                                // What it has said before is counted by now.
                                if (++asked == 2) taken_back.Notify();
                                return false;
                              });
  });
  taken_back.WaitForNotification();
  std::jthread second([&] {
    EXPECT_THAT(round.Of(1).Agree(JointStep::kConfirmed, true, Pause),
                IsOkAndHolds(false));
  });
  EXPECT_THAT(round.Of(2).Agree(JointStep::kConfirmed, true, Pause),
              IsOkAndHolds(false));
  first.join();
  EXPECT_THAT(heard, IsOkAndHolds(false));
}

TEST_F(CutoverRoundTest, WaitsForWhoHasFallenBehindAgain) {
  CutoverRound& round = Make();
  for (const size_t place : {0, 1}) EXPECT_OK(round.Of(place).Begins(true));
  EXPECT_THAT(round.Of(0).Begins(false), IsOkAndHolds(false));
  control_.RequestCutover();
  EXPECT_THAT(round.Of(2).Begins(true), IsOkAndHolds(false));
  EXPECT_EQ(round.Look().waiting_for, "databases to catch up: a");
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(true));
  // It is counted on.
  EXPECT_THAT(round.Of(1).Begins(false), IsOkAndHolds(true));
}

TEST_F(CutoverRoundTest, IsNotStoppedBetweenTheVoteAndTheEnd) {
  CutoverRound& round = Make();
  control_.RequestCutover();
  AllBegin();
  ExpectAll(Agree(JointStep::kConfirmed, {true, true, true}), true);
  EXPECT_FALSE(round.MayStop());
  // It goes on alone, and whoever repeats its proof waits for nobody.
  EXPECT_OK(round.Of(0).Check());
  EXPECT_THAT(round.Of(0).Agree(JointStep::kConfirmed, false, Pause),
              IsOkAndHolds(false));
  round.End(0, absl::OkStatus());
  round.End(1, absl::OkStatus());
  EXPECT_FALSE(round.MayStop());
  round.Of(2).Leave(absl::UnavailableError("lost"));
  EXPECT_TRUE(round.MayStop());
  EXPECT_THAT(round.Of(2).Begins(true), IsOkAndHolds(false));
}

// Nobody is there to see it.
TEST_F(CutoverRoundTest, OfItselfEndsTheRunIfOneHasFailed) {
  CutoverRound& round = Make(CutoverMode::kAuto);
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(false));
  round.End(2, absl::FailedPreconditionError("no such type"));
  EXPECT_THAT(round.Of(0).Begins(true), IsOkAndHolds(false));
  for (const size_t place : {1, 0}) {
    EXPECT_THAT(round.Of(place).Begins(true),
                StatusIs(absl::StatusCode::kCancelled,
                         "stopped, as it is not cut over without database c, "
                         "which has failed"));
  }
}

}  // namespace
}  // namespace walferry
