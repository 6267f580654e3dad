// Rules, triggers and foreign keys of a target whose role cannot keep them
// quiet.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

// Triggers, foreign keys, rules.
constexpr char kActingOnRows[] =
    "SELECT concat_ws(' ', (SELECT count(*) FROM pg_trigger WHERE tgname = "
    "'log_note'), (SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND "
    "connamespace = 'public'::regnamespace), "
    "(SELECT count(*) FROM pg_rewrite WHERE rulename = 'keep'))";

class CutoverRoleTest : public CutoverTest {
 protected:
  // The foreign key is there then, and the rule is not: holder_ does not let go
  // of a table that it writes to.
  void CutOverUntilTheRuleWaits(BackgroundRun& run) {
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                         SqlConnection::Open(target_->ConnInfo("app")));
    holder_.emplace(std::move(holder));
    ASSERT_OK(holder_->Exec("BEGIN; LOCK TABLE shelf IN SHARE MODE"));
    run.control().RequestCutover();
    ASSERT_TRUE(WaitUntil([this] {
      return TargetValue(
                 "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type "
                 "= 'Lock' AND query LIKE '%CREATE RULE%'")
                 .value_or("") == "1";
    }));
  }

  void StopWhileTheRuleWaits() {
    BackgroundRun run(NarrowOptions());
    ASSERT_NO_FATAL_FAILURE(CutOverUntilTheRuleWaits(run));
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
    ASSERT_OK(holder_->Exec("COMMIT"));
  }

  static void ExpectTooLate(const absl::Status& status) {
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(" was written on the source after a cutover had "
                          "begun to create triggers and foreign keys"));
    EXPECT_THAT(HintOf(status), HasSubstr("session_replication_role"));
  }

  // A role that may keep quiet what is there goes on.
  void MoveWithAllRights() {
    ASSERT_NO_FATAL_FAILURE(MoveAll(Options()));
    EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("1 1 1"));
    ExpectEqual();
  }

  std::optional<SqlConnection> holder_;
};

TEST_F(CutoverRoleTest, CreatesWhatActsOnRowsOnlyWhenNoChangeCanCome) {
  BackgroundRun run(NarrowOptions());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(OnSource("INSERT INTO books VALUES (2, 'two')"));
  ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
  ASSERT_OK(
      OnSource("INSERT INTO books VALUES (3, 'three');"
               "INSERT INTO notes (book, body) VALUES (3, 'late')"));
  LetCutoverGoOn();
  ASSERT_OK(run.Result());
  EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("1 1 1"));
  ExpectEqual();
}

TEST_F(CutoverRoleTest, CreatesWhatAnEarlierRoleHadToLeaveForTheEnd) {
  ASSERT_NO_FATAL_FAILURE(StopWhileFollowing(NarrowOptions()));
  EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("0 0 0"));
  ASSERT_OK(OnSource("INSERT INTO notes (book, body) VALUES (1, 'second')"));
  ASSERT_NO_FATAL_FAILURE(MoveAll(Options()));
  EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("1 1 1"));
  ExpectEqual();
}

TEST_F(CutoverRoleTest, RefusesARoleThatCannotKeepQuietWhatIsThere) {
  ASSERT_NO_FATAL_FAILURE(StopWhileFollowing(Options()));
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

TEST_F(CutoverRoleTest, RefusesWhatIsWrittenWhileItCreatesWhatActsOnRows) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_NO_FATAL_FAILURE(CutOverUntilTheRuleWaits(run));
    ASSERT_OK(
        OnSource("INSERT INTO notes (book, body) VALUES (1, 'too late')"));
    ASSERT_OK(holder_->Exec("COMMIT"));
    ExpectTooLate(run.Result().status());
    EXPECT_THAT(TargetValue("SELECT count(*) FROM notes"), IsOkAndHolds("1"));
  }
  MoveWithAllRights();
}

TEST_F(CutoverRoleTest, GoesOnWithAHalfCompletedTarget) {
  ASSERT_NO_FATAL_FAILURE(StopWhileTheRuleWaits());
  ASSERT_NO_FATAL_FAILURE(MoveAll(NarrowOptions()));
  EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("1 1 1"));
  ExpectEqual();
}

TEST_F(CutoverRoleTest, DoesNotRewriteUnloggedRowsOfAHalfCompletedTarget) {
  ASSERT_NO_FATAL_FAILURE(StopWhileTheRuleWaits());
  ASSERT_OK(OnSource("UPDATE cache SET v = 'new'"));
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    run.control().RequestCutover();
    ExpectTooLate(run.Result().status());
    EXPECT_THAT(TargetValue("SELECT v FROM cache"), IsOkAndHolds("old"));
  }
  MoveWithAllRights();
}

// The plan has a step less than the run before had, and as many as are done.
TEST_F(CutoverRoleTest, CreatesWhatIsLeftWhateverTheRunBeforePlanned) {
  MigrateOptions options = NarrowOptions();
  ASSERT_NO_FATAL_FAILURE(StopWhileFollowing(options));
  ASSERT_OK(
      OnTarget("UPDATE walferry.migration SET planned_steps = (SELECT count(*) "
               "FROM walferry.step)"));
  ASSERT_NO_FATAL_FAILURE(MoveAll(options));
  EXPECT_THAT(TargetValue(kActingOnRows), IsOkAndHolds("1 1 1"));
  ExpectEqual();
}

TEST_F(CutoverRoleTest, AppliesNothingUnguardedAfterOneThatDidNotEnd) {
  ASSERT_NO_FATAL_FAILURE(StopWhileFollowing(NarrowOptions()));
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
    ASSERT_OK(
        OnSource("INSERT INTO notes (book, body) VALUES (1, 'too late')"));
    BackgroundRun run(NarrowOptions());
    ExpectTooLate(run.Result().status());
    EXPECT_THAT(TargetValue("SELECT count(*) FROM log"), IsOkAndHolds("1"));
  }
  MoveWithAllRights();
}

}  // namespace
}  // namespace walferry
