#include "engine/server/connection_budget.h"

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr ServerJobs kFour = {.max_parallel = 4,
                              .dump_parallel = 2,
                              .restore_parallel = 1,
                              .jobs = 4,
                              .index_jobs = 2};

TEST(ConnectionBudget, IsThatOfTheCostliestMixture) {
  // One database: it is read.
  const PeakConnections one = PeakConnectionsOf({});
  EXPECT_EQ(one.source, 3 + 4);
  EXPECT_EQ(one.target, 1 + 2 + 4);
  // Two are read; one is built on the target, and one waits for that.
  const PeakConnections four = PeakConnectionsOf(kFour);
  EXPECT_EQ(four.source, 2 * 7 + 2);
  EXPECT_EQ(four.target, 1 + 2 * 6 + 3 + 1);
  // Where building costs more than reading, as many as may build do.
  EXPECT_EQ(PeakConnectionsOf({.max_parallel = 2,
                               .dump_parallel = 2,
                               .restore_parallel = 2,
                               .jobs = 1,
                               .index_jobs = 9})
                .target,
            1 + 2 * 10);
}

// Of delayed tables.
TEST(ConnectionBudget, CountsTheSnapshotsThatAreKept) {
  ServerJobs jobs = kFour;
  jobs.keep_snapshots = true;
  const PeakConnections peak = PeakConnectionsOf(jobs);
  EXPECT_EQ(peak.source, 2 * 7 + 2 * 3);
  EXPECT_EQ(peak.target, PeakConnectionsOf(kFour).target);
}

TEST(ConnectionBudget, CountsThoseThatAreCompared) {
  ServerJobs jobs = kFour;
  jobs.verify_parallel = 2;
  // Two are read, two compared.
  PeakConnections peak = PeakConnectionsOf(jobs);
  EXPECT_EQ(peak.source, 2 * 7 + 2 * 5);
  EXPECT_EQ(peak.target, 1 + 2 * 6 + 2 * 6);
  // Before clients come, and the target's settings are put back for them.
  jobs.keep_snapshots = jobs.fast_target = true;
  peak = PeakConnectionsOf(jobs);
  EXPECT_EQ(peak.source, 2 * 8 + 2 * 7);
  EXPECT_EQ(peak.target, 2 + 2 * 7 + 2 * 6);
  EXPECT_EQ(
      HintOf(CheckConnectionRoom(Side::kSource, jobs, {.max_connections = 29})),
      "lower --verify-concurrency to 1, or lower --dump-parallel to 1, or "
      "lower --max-parallel to 3, or lower --jobs to 3, or raise "
      "max_connections there or end other sessions");
}

TEST(ConnectionBudget, OnlineCountsAllDatabasesThatAreFollowed) {
  ServerJobs jobs = kFour;
  jobs.max_parallel = 9;
  jobs.online = true;
  const PeakConnections nine = PeakConnectionsOf(jobs);
  EXPECT_EQ(nine.source, 2 * 7 + 7 * 2);
  EXPECT_EQ(nine.target, 1 + 2 * 6 + 7 * 3);
  jobs.apply_jobs = 4;
  EXPECT_EQ(PeakConnectionsOf(jobs).target, 1 + 2 * 6 + 7 * 6);
  // How many there are is no option.
  EXPECT_EQ(
      HintOf(CheckConnectionRoom(Side::kSource, jobs, {.max_connections = 27})),
      "lower --dump-parallel to 1, or lower --jobs to 3, or raise "
      "max_connections there or end other sessions");
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
      .max_connections = 31, .reserved = 3, .in_use = 12};
  EXPECT_OK(CheckConnectionRoom(Side::kSource, kFour, room));
  const absl::Status status = CheckConnectionRoom(Side::kTarget, kFour, room);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "17 connections are needed at the peak, and 16 are "
                       "free: max_connections is 31, 12 are in use, 3 are "
                       "reserved for others"));
  EXPECT_EQ(HintOf(status),
            "lower --dump-parallel to 1, or lower --max-parallel to 3, or "
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
                       "7 connections are needed at the peak, and 2 are free: "
                       "max_connections is 20, 0 are in use, the role's own "
                       "limit is 4 with 2 in use"));
  EXPECT_EQ(HintOf(status),
            "even one database with one job needs 4, or raise "
            "max_connections there or end other sessions");
}

}  // namespace
}  // namespace walferry
