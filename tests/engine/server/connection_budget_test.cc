#include "engine/server/connection_budget.h"

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr ServerJobs kFour = {.max_parallel = 4,
                              .dump_parallel = 2,
                              .restore_parallel = 3,
                              .verify_concurrency = 2,
                              .jobs = 4,
                              .index_jobs = 2};

TEST(ConnectionBudget, IsThatOfTheCostliestMixture) {
  // One database: the run, and all that is done to it at once.
  const PeakConnections one = PeakConnectionsOf({});
  EXPECT_EQ(one.source, 1 + 2 + 4);
  EXPECT_EQ(one.target, 1 + 2 + 4 + 2);
  // Two are read, two compared; three are written to, one is compared.
  const PeakConnections four = PeakConnectionsOf(kFour);
  EXPECT_EQ(four.source, 1 + 2 * 6 + 2 * 1);
  EXPECT_EQ(four.target, 1 + 3 * 8 + 2);
}

TEST(ConnectionBudget, CountsWhatTheRoleMayTake) {
  ConnectionRoom room = {.max_connections = 100, .reserved = 3, .in_use = 60};
  EXPECT_EQ(room.Free(), 37);
  room.role_limit = 10;
  room.role_in_use = 4;
  EXPECT_EQ(room.Free(), 6);
  room.role_in_use = 11;
  EXPECT_EQ(room.Free(), 0);
}

TEST(ConnectionBudget, NamesTheKnobToTurn) {
  const ConnectionRoom room = {
      .max_connections = 40, .reserved = 3, .in_use = 12};
  EXPECT_OK(CheckConnectionRoom(Side::kSource, kFour, room));
  const absl::Status status = CheckConnectionRoom(Side::kTarget, kFour, room);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: 27 connections are needed at the peak, and 25 "
                       "are free: max_connections is 40, 12 are in use, 3 are "
                       "reserved for others"));
  EXPECT_EQ(HintOf(status),
            "lower --restore-parallel to 2, or lower --max-parallel to 3, or "
            "lower --index-jobs to 1, or lower --jobs to 3, or raise "
            "max_connections there or end other sessions");
}

TEST(ConnectionBudget, SaysWhenNothingHelps) {
  EXPECT_EQ(HintOf(CheckConnectionRoom(Side::kSource, kFour,
                                       {.max_connections = 5, .in_use = 1})),
            "lower --max-parallel to 1 and --jobs and --index-jobs with it, or "
            "raise max_connections there or end other sessions");
  const absl::Status status = CheckConnectionRoom(
      Side::kTarget, {},
      {.max_connections = 20, .role_limit = 4, .role_in_use = 2});
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: 9 connections are needed at the peak, and 2 "
                       "are free: max_connections is 20, 0 are in use, the "
                       "role's own limit is 4 with 2 in use"));
  EXPECT_EQ(HintOf(status),
            "even one database with one job needs 5, or raise "
            "max_connections there or end other sessions");
}

}  // namespace
}  // namespace walferry
