// RunVerify online, of one database of a move of all of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/migration_proof.h"
#include "engine/server/server_status.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/verification.h"
#include "protocol/status.h"
#include "tests/cluster/server_online_fixture.h"
#include "tests/cluster/status_of_move.h"
#include "tests/testing/event_recorder.h"

namespace walferry {
namespace {

class ServerOnlineVerifyTest : public ServerOnlineTest {
 protected:
  Endpoints Of(const std::string& database) const {
    return {.source = source_->ConnInfo(database),
            .target = target_->ConnInfo(database),
            .name = "move"};
  }
  absl::StatusOr<VerifyReport> Verify(const std::string& database,
                                      RepairMode repair = RepairMode::kNo) {
    Control control;
    return RunVerify(
        {.endpoints = Of(database), .online = true, .repair = repair}, control,
        events_);
  }

  EventRecorder events_;
};

TEST_F(ServerOnlineVerifyTest, EachIsComparedAndRepairedByItself) {
  auto writers = Write();
  BackgroundMove move(Options());
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  for (const char* name : kNames) {
    SCOPED_TRACE(name);
    ASSERT_OK_AND_ASSIGN(const VerifyReport report, Verify(name));
    EXPECT_FALSE(report.found_differences());
    EXPECT_FALSE(report.uncertain());
    EXPECT_TRUE(report.position.has_value());
  }
  ASSERT_OK(target_->Exec("INSERT INTO accounts VALUES (-7, 'x', 0)", "shop"));
  ASSERT_OK_AND_ASSIGN(VerifyReport report, Verify("shop"));
  EXPECT_TRUE(report.found_differences());
  ASSERT_OK_AND_ASSIGN(report, Verify("crm"));
  EXPECT_FALSE(report.found_differences());
  ASSERT_OK_AND_ASSIGN(report, Verify("shop", RepairMode::kYes));
  EXPECT_FALSE(report.found_differences());
  ASSERT_EQ(report.repair->tables.size(), 1u);
  EXPECT_EQ(report.repair->tables[0].deleted, 1);
  writers.clear();
  move.control().RequestCutover();
  EXPECT_OK(move.Outcome());
  ExpectAllEqual();
}

// Compares by counts, as the command's own proof does.
class CountingProof : public MigrationProof {
 public:
  VerifyMethod method() const override { return VerifyMethod::kCounts; }
  absl::StatusOr<ProofFound> Compare(const Endpoints& endpoints,
                                     Control& control,
                                     EventSink& events) override {
    ASSIGN_OR_RETURN(const VerifyReport report,
                     RunVerify({.endpoints = endpoints,
                                .method = VerifyMethod::kCounts,
                                .schema = false,
                                .online = true},
                               control, events));
    return ProofFound{.state = report.found_differences()
                                   ? ComparisonResult::State::kDifferent
                                   : ComparisonResult::State::kEqual,
                      .text = "compared"};
  }
};

TEST_F(ServerOnlineVerifyTest, WhatWasFoundOfEachIsToldByAllWhoTell) {
  CountingProof proof;
  ServerMigrateOptions options = Options();
  options.migrate.proof = &proof;
  BackgroundMove move(std::move(options));
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  move.control().RequestCutover();
  ASSERT_OK(move.Outcome());
  using State = ComparisonResult::State;
  for (const DatabaseReport& database : move.report().databases) {
    EXPECT_EQ(database.comparison.state, State::kEqual) << database.database;
    EXPECT_EQ(database.comparison.method, VerifyMethod::kCounts);
  }
  EXPECT_EQ(TotalOf(move.report()).comparison.state, State::kEqual);
  ASSERT_OK_AND_ASSIGN(const ServerStatus status, StatusOfMove(*target_));
  EXPECT_EQ(status.databases.size(), move.report().databases.size());
  for (const DatabaseStatus& database : status.databases) {
    EXPECT_EQ(database.comparison.state, State::kEqual) << database.database;
  }
  Control control;
  EventRecorder events;
  ASSERT_OK_AND_ASSIGN(
      const Report report,
      RunServerCutover({.target = target_->ConnInfo(), .name = "move"}, control,
                       events));
  EXPECT_EQ(report.comparison.state, State::kEqual);
}

// All would wait for one that is held, and comes nowhere near.
TEST_F(ServerOnlineVerifyTest, ACutoverEndsARepairOfOne) {
  BackgroundMove move(Options());
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  ASSERT_OK_AND_ASSIGN(auto asked, AskForMeeting({.endpoints = Of("large"),
                                                  .holds_appliers = true}));
  ASSERT_OK(
      source_->Exec("UPDATE accounts SET balance = balance "
                    "+ 1",
                    "large"));
  EXPECT_TRUE(WaitUntil([this] {
    return target_
               ->QueryValue("SELECT lag_bytes > 65536 FROM walferry.migration",
                            "large")
               .value_or("") == "t";
  }));
  move.control().RequestCutover();
  EXPECT_OK(move.Outcome());
  EXPECT_EQ(asked->Renew().code(), absl::StatusCode::kUnavailable);
  ExpectAllEqual();
}

}  // namespace
}  // namespace walferry
