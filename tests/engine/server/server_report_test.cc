#include "engine/server/server_report.h"

#include "engine/connect/retry_policy.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

ServerReport Three() {
  return {.name = "move",
          .databases = {
              {.database = "a", .report = {.tables = 2, .rows_copied = 10}},
              {.database = "b", .report = {.tables = 3}},
              {.database = "c"}}};
}

TEST(ServerReport, IsDoneWhenEveryDatabaseIs) {
  EXPECT_OK(OutcomeOf(Three()));
  EXPECT_EQ(TotalOf(Three()).tables, 5);
  EXPECT_EQ(TotalOf(Three()).rows_copied, 10);
}

TEST(ServerReport, HasTheRemarksOfItsDatabasesOnceEach) {
  ServerReport report = Three();
  report.remarks = {"of the whole"};
  for (DatabaseReport& database : report.databases) {
    database.report.remarks = {"of all"};
  }
  report.databases[0].report.remarks.emplace_back("of some");
  report.databases[1].report.remarks.emplace_back("of some");
  report.databases[2].report.remarks.emplace_back("of one");
  EXPECT_EQ(TotalOf(report).remarks,
            (std::vector<std::string>{"of the whole", "of all",
                                      "databases a, b: of some",
                                      "database c: of one"}));
}

TEST(ServerReport, PausesFromTheFirstStillDatabaseToTheLastThatIsDone) {
  const absl::Time end = absl::FromUnixSeconds(1000);
  ServerReport report = Three();
  EXPECT_EQ(PauseOf(report), absl::InfiniteDuration());
  report.databases[0].report.freeze_to_done = absl::Seconds(5);
  report.databases[0].ended = end;
  report.databases[1].report.freeze_to_done = absl::Seconds(1);
  report.databases[1].ended = end + absl::Seconds(2);
  // By an earlier run.
  report.databases[2].report.freeze_to_done = absl::Hours(1);
  report.databases[2].ended = end;
  for (const int of_this_run : {0, 1}) {
    report.databases[of_this_run].phases = {
        {.phase = Phase::kCutover, .duration = absl::Seconds(1)}};
  }
  EXPECT_EQ(PauseOf(report), absl::Seconds(7));
}

TEST(ServerReport, NamesWhatFailed) {
  ServerReport report = Three();
  report.databases[1].status =
      WithHint(absl::UnavailableError("source: gone"), "start it");
  EXPECT_TRUE(IsResumable(OutcomeOf(report)));
  report.databases[2].status = absl::FailedPreconditionError("broken");
  const absl::Status outcome = OutcomeOf(report);
  EXPECT_THAT(outcome, StatusIs(absl::StatusCode::kFailedPrecondition,
                                "1 of 3 databases done\n"
                                "database b: source: gone (start it)\n"
                                "database c: broken"));
  EXPECT_EQ(HintOf(outcome),
            "mend what is named and run the same command again: what is done "
            "stays");
  EXPECT_EQ(TotalOf(report).tables, 2);
}

TEST(ServerReport, SaysWhenItWasStopped) {
  ServerReport report = Three();
  report.databases[1].status = absl::CancelledError("stopped");
  report.databases[2].status = absl::CancelledError("not begun");
  EXPECT_THAT(OutcomeOf(report), StatusIs(absl::StatusCode::kCancelled,
                                          "stopped: 1 of 3 databases done"));
  // A failure is more than that.
  report.databases[0].status = absl::InternalError("bug");
  EXPECT_THAT(OutcomeOf(report),
              StatusIs(absl::StatusCode::kInternal,
                       "0 of 3 databases done\ndatabase a: bug"));
}

TEST(ServerReport, FailsWithTheWhole) {
  ServerReport report = Three();
  report.failure = WithHint(absl::UnavailableError("settings"), "again");
  EXPECT_THAT(OutcomeOf(report), StatusIs(absl::StatusCode::kUnavailable,
                                          "3 of 3 databases done\nsettings"));
  EXPECT_EQ(HintOf(OutcomeOf(report)), "again");
  // Doing the same again would not help this one.
  report.databases[0].status = absl::FailedPreconditionError("broken");
  EXPECT_THAT(OutcomeOf(report),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "2 of 3 databases done\ndatabase a: broken\n"
                       "settings"));
}

}  // namespace
}  // namespace walferry
