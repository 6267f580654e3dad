// What others do to both sides while rows are repaired.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tests/cluster/verify_repair_fixture.h"
#include "tests/testing/event_hook.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class VerifyRepairRaceTest : public VerifyRepairTest {
 protected:
  using When = std::function<bool(const Event&)>;

  // The rows are compared, and nothing is read for their repair.
  static When OnceCompared() {
    return [](const Event& event) {
      return std::holds_alternative<PhaseFinished>(event);
    };
  }
  // The repair's sessions are open, and no range is begun.
  static When OnceRepairBegins() {
    return [](const Event& event) {
      const auto* notice = std::get_if<Notice>(&event);
      return notice != nullptr && absl::StartsWith(notice->text, "repairing ");
    };
  }

  std::vector<std::string> RepairWith(const VerifyOptions& options,
                                      const When& when,
                                      const std::function<void()>& act) {
    bool done = false;
    EventHook hook([&](const Event& event) {
      if (done || !when(event)) return;
      done = true;
      act();
    });
    Control control;
    const absl::StatusOr<VerifyReport> report =
        RunVerify(options, control, hook);
    EXPECT_TRUE(done);
    if (!report.ok()) return {std::string(report.status().message())};
    return Told(*report);
  }

  std::vector<std::string> RepairDuring(const std::string& on_target) {
    return RepairWith(RepairOptions(), OnceCompared(),
                      [&] { EXPECT_OK(OnTarget(on_target)); });
  }
};

TEST_F(VerifyRepairRaceTest, LeavesARangeThatHasChangedSinceItWasCompared) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT i, 'v'"
      " FROM generate_series(1, 10) i; CREATE TABLE u (id int PRIMARY KEY)");
  ASSERT_OK(
      OnTarget("UPDATE t SET v = 'w' WHERE id = 5; INSERT INTO u VALUES "
               "(1)"));
  EXPECT_THAT(RepairDuring("UPDATE t SET v = 'later' WHERE id = 5"),
              ElementsAre("public.t +0 -0 ~0",
                          "public.t: has changed on the target since it was "
                          "compared, and nothing was written there",
                          "public.u +0 -1 ~0", "public.t",
                          "different id=5; v: v -> later"));
}

TEST_F(VerifyRepairRaceTest, WritesWhatTheSourceHadWhenItWasCompared) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES "
      "(1, 'a')");
  ASSERT_OK(OnTarget("UPDATE t SET v = 'b'"));
  EXPECT_THAT(RepairWith(RepairOptions(), OnceCompared(),
                         [&] { EXPECT_OK(OnSource("UPDATE t SET v = 'c'")); }),
              ElementsAre("public.t +0 -0 ~1", "public.t",
                          "different id=1; v: c -> a"));
}

TEST_F(VerifyRepairRaceTest, SaysThatOneSideHasLostATable) {
  OnBoth("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)");
  ASSERT_OK(OnTarget("DELETE FROM t"));
  EXPECT_THAT(RepairWith(RepairOptions(), OnceRepairBegins(),
                         [&] { EXPECT_OK(OnTarget("DROP TABLE t")); }),
              ElementsAre("public.t +0 -0 ~0",
                          "target: relation \"public.t\" does not exist "
                          "(SQLSTATE 42P01)",
                          "public.t: is not on the target"));
}

TEST_F(VerifyRepairRaceTest, IsRefusedWhereAMigrationHasBegunMeanwhile) {
  OnBoth("CREATE TABLE t (id int PRIMARY KEY)");
  ASSERT_OK(OnTarget("INSERT INTO t VALUES (1)"));
  EXPECT_THAT(
      RepairDuring("CREATE SCHEMA IF NOT EXISTS walferry; CREATE TABLE "
                   "walferry.migration (name text, phase text, report text); "
                   "INSERT INTO walferry.migration VALUES ('shop', 'follow', "
                   "NULL)"),
      ElementsAre("target: migration shop has not come to an end: what it "
                  "writes to the target would meet rows that are repaired"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t"), IsOkAndHolds("1"));
}

// A range fails, and its successor would have no session.
TEST_F(VerifyRepairRaceTest, EndsIfItMayNotConnectAgain) {
  OnBoth(
      "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY "
      "KEY)");
  ASSERT_OK(
      OnTarget("INSERT INTO t VALUES (1); INSERT INTO u VALUES (1);"
               "CREATE ROLE boss LOGIN SUPERUSER"));
  VerifyOptions options = RepairOptions();
  options.endpoints.target = target_->ConnInfoAs("boss", "", "app");
  EXPECT_THAT(
      RepairWith(options, OnceRepairBegins(),
                 [&] {
                   EXPECT_OK(
                       OnTarget("INSERT INTO t VALUES (2); INSERT INTO u "
                                "VALUES (2); ALTER ROLE boss NOLOGIN"));
                 }),
      ElementsAre(HasSubstr("role \"boss\" is not permitted to log in")));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t, u"), IsOkAndHolds("4"));
}

}  // namespace
}  // namespace walferry
