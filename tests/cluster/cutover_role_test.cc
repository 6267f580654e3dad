// Rules, triggers and foreign keys of a target whose role cannot keep them
// quiet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST_F(CutoverTest, CreatesWhatActsOnRowsOnlyWhenNoChangeCanCome) {
  BackgroundRun run(NarrowOptions());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  OnSource("INSERT INTO books VALUES (2, 'two')");
  CutOverUntilTheSlowView(run);
  OnSource(
      "INSERT INTO books VALUES (3, 'three');"
      "INSERT INTO notes (book, body) VALUES (3, 'late')");
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_constraint WHERE contype = "
                       "'f' AND conrelid = 'notes'::regclass"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_rewrite WHERE rulename = "
                       "'keep'"),
              IsOkAndHolds("1"));
  ExpectEqual();
}

TEST_F(CutoverTest, CreatesWhatAnEarlierRoleHadToLeaveForTheEnd) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("0"));
  OnSource("INSERT INTO notes (book, body) VALUES (1, 'second')");
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_constraint WHERE contype = "
                       "'f' AND conrelid = 'notes'::regclass"),
              IsOkAndHolds("1"));
  ExpectEqual();
}

TEST_F(CutoverTest, RefusesARoleThatCannotKeepQuietWhatIsThere) {
  {
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  ASSERT_OK(target_->Exec(
      "GRANT ALL ON SCHEMA walferry TO mover; GRANT ALL ON ALL TABLES IN "
      "SCHEMA walferry TO mover; GRANT ALL ON ALL TABLES IN SCHEMA public TO "
      "mover",
      "app"));
  BackgroundRun run(NarrowOptions());
  EXPECT_THAT(run.Result().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the target has triggers and foreign keys already, and "
                       "its role may not keep them from acting on applied "
                       "changes any more (session_replication_role)"));
}

TEST_F(CutoverTest, AppliesNothingUnguardedAfterOneThatDidNotEnd) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  // As a process leaves it that is killed while it creates them.
  ASSERT_OK(target_->Exec(
      "SET ROLE mover; CREATE TRIGGER log_note AFTER INSERT ON notes FOR EACH "
      "ROW EXECUTE FUNCTION log_note();",
      "app"));
  ASSERT_OK_AND_ASSIGN(
      const std::string oid,
      source_->QueryValue("SELECT oid FROM pg_trigger WHERE tgname = "
                          "'log_note'",
                          "app"));
  ASSERT_OK(target_->Exec(
      absl::StrCat("INSERT INTO walferry.step VALUES ('test', 'TRIGGER ", oid,
                   "'); UPDATE walferry.migration SET phase = 'cutover'"),
      "app"));
  {
    OnSource("INSERT INTO notes (book, body) VALUES (1, 'too late')");
    BackgroundRun run(NarrowOptions());
    const absl::Status status = run.Result().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("table public."),
                      HasSubstr(" was written on the source after a cutover "
                                "that did not end")));
    EXPECT_THAT(HintOf(status), HasSubstr("session_replication_role"));
    EXPECT_THAT(OnTarget("SELECT count(*) FROM log"), IsOkAndHolds("1"));
  }
  // A role that may keep them quiet goes on.
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
