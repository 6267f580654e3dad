#include "tools/online_proof.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

VerifyReport ReportOf(TableVerdict::Outcome outcome, int64_t missing) {
  VerifyReport report;
  report.source = "a:1/app";
  report.target = "b:1/app";
  TableVerdict table;
  table.table = {"public", "t"};
  table.outcome = outcome;
  table.source_rows = 10;
  table.target_rows = 10 - missing;
  table.missing = missing;
  report.tables.push_back(table);
  return report;
}

TEST(OnlineProofTest, ComparesWhatFollowsAsItIsAskedTo) {
  VerifyOptions asked;
  EngineCalls engine;
  engine.verify = [&](const VerifyOptions& options, Control&, EventSink&) {
    asked = options;
    VerifyReport report = ReportOf(TableVerdict::Outcome::kEqual, 0);
    report.method = options.method;
    return report;
  };
  MigrateOptions migrate;
  migrate.jobs = 7;
  migrate.max_snapshot_age = absl::Minutes(3);
  OnlineProof proof(engine, VerifyMethod::kCounts, migrate, 1);
  Control control;
  EventRecorder events;
  ASSERT_OK_AND_ASSIGN(const ProofFound found,
                       proof.Compare({.name = "one"}, control, events));
  EXPECT_EQ(found.state, ComparisonResult::State::kEqual);
  EXPECT_EQ(proof.method(), VerifyMethod::kCounts);
  EXPECT_EQ(found.text,
            "the tables of a:1/app and b:1/app have as many rows; what is in "
            "them was not compared; their schemas were not compared");
  EXPECT_TRUE(asked.online);
  EXPECT_FALSE(asked.schema);
  EXPECT_EQ(asked.method, VerifyMethod::kCounts);
  EXPECT_EQ(asked.endpoints.name, "one");
  EXPECT_EQ(asked.jobs, 7);
  EXPECT_EQ(asked.max_snapshot_age, absl::Minutes(3));
  // No time is spent on the rows of a range that is known to differ.
  EXPECT_EQ(asked.max_reported, 0);
}

TEST(OnlineProofTest, NamesTheTablesThatDiffer) {
  EngineCalls engine;
  engine.verify = [](const VerifyOptions&, Control&, EventSink&) {
    return ReportOf(TableVerdict::Outcome::kDifferent, 2);
  };
  OnlineProof proof(engine, VerifyMethod::kChecksum, {}, 1);
  Control control;
  EventRecorder events;
  ASSERT_OK_AND_ASSIGN(const ProofFound found,
                       proof.Compare({}, control, events));
  EXPECT_EQ(found.state, ComparisonResult::State::kDifferent);
  EXPECT_EQ(found.text,
            "b:1/app is not as a:1/app: 2 rows in 1 of 1 table; public.t: 2 "
            "rows missing on the target; 10 rows on the source, 8 on the "
            "target");
}

TEST(OnlineProofTest, KnowsNothingWhereNothingCouldBeCompared) {
  EngineCalls engine;
  engine.verify = [](const VerifyOptions&, Control&,
                     EventSink&) -> absl::StatusOr<VerifyReport> {
    return absl::UnavailableError("source: gone");
  };
  OnlineProof proof(engine, VerifyMethod::kChecksum, {}, 1);
  Control control;
  EventRecorder events;
  EXPECT_THAT(proof.Compare({}, control, events),
              StatusIs(absl::StatusCode::kUnavailable, "source: gone"));
}

TEST(OnlineProofTest, LetsNoMoreAtOnceThanItMay) {
  std::atomic<int> at_once = 0;
  std::atomic<int> most = 0;
  std::atomic<bool> go_on = false;
  EngineCalls engine;
  engine.verify = [&](const VerifyOptions&, Control&, EventSink&) {
    const int now = ++at_once;
    if (now > most) most = now;
    EXPECT_TRUE(WaitUntil([&] { return go_on.load(); }));
    --at_once;
    return ReportOf(TableVerdict::Outcome::kEqual, 0);
  };
  OnlineProof proof(engine, VerifyMethod::kChecksum, {}, 2);
  Control control;
  Control stopped;
  EventRecorder events;
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back(
        [&] { EXPECT_OK(proof.Compare({}, control, events)); });
  }
  EXPECT_TRUE(WaitUntil([&] { return at_once == 2; }));
  // Whoever waits for the turn can be stopped.
  stopped.RequestStop();
  EXPECT_THAT(proof.Compare({}, stopped, events),
              StatusIs(absl::StatusCode::kCancelled, ::testing::_));
  threads.emplace_back([&] { EXPECT_OK(proof.Compare({}, control, events)); });
  go_on = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 2);
}

}  // namespace
}  // namespace walferry
