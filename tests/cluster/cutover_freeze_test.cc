// A cutover that made the source read-only and did not come to its end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <variant>
#include <vector>

#include "absl/strings/match.h"
#include "engine/migration/migration.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(CutoverTest, ThatIsStoppedLeavesTheSourceWritable) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
  EXPECT_THAT(source_->Exec("DELETE FROM notes", "app"), Not(IsOk()));
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  ExpectWritable();
  EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.object WHERE kind = "
                          "'setting'"),
              IsOkAndHolds("0"));
}

TEST_F(CutoverTest, ThatMayNotEndAllSessionsLeavesTheSourceWritable) {
  ASSERT_OK(source_->Exec(
      "CREATE ROLE keeper LOGIN REPLICATION; ALTER DATABASE app OWNER TO "
      "keeper"));
  ASSERT_OK(source_->Exec(
      "DO $$ DECLARE t text; BEGIN FOR t IN SELECT oid::regclass FROM pg_class "
      "WHERE relnamespace = 'public'::regnamespace AND relkind IN "
      "('r','m','v') "
      "LOOP EXECUTE 'ALTER TABLE ' || t || ' OWNER TO keeper'; END LOOP; END "
      "$$; ALTER SEQUENCE tickets OWNER TO keeper",
      "app"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("keeper", "", "app");
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(auto superuser,
                       SqlConnection::Open(source_->ConnInfo("app")));
  run.control().RequestCutover();
  EXPECT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return absl::StartsWith(notice.text,
                            "cutover given up, still following: source: "
                            "freeze: cannot end pid ");
  }));
  ExpectWritable();
  EXPECT_FALSE(run.ended());
  // Once it is mended the same run cuts over.
  superuser = *SqlConnection::Open(target_->ConnInfo("app"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, ThatWasKilledDoesNotLeaveTheSourceReadOnlyForEver) {
  ASSERT_NO_FATAL_FAILURE(StopWhileFollowing(Options()));
  ASSERT_OK(source_->Exec(
      "ALTER DATABASE app SET default_transaction_read_only = on"));
  ASSERT_OK(target_->Exec(
      "INSERT INTO walferry.object VALUES ('test', 'source', 'setting', "
      "'default_transaction_read_only', '')",
      "app"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text ==
           "an earlier cutover had left the source read-only; it takes writes "
           "again";
  }));
  ExpectWritable();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

// A session that a freeze leaves alone, and that keeps the source from being
// still.
constexpr char kUntouched[] = "?application_name=walferry%20test";

TEST_F(CutoverTest, ThatCouldNotThawTheSourceIsThawedByTheNextAttempt) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  options.cutover_timeout = absl::Seconds(1);
  ASSERT_OK_AND_ASSIGN(
      SqlConnection writer,
      SqlConnection::Open(source_->ConnInfo("app") + kUntouched));
  // On another database, out of the freeze's reach.
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(source_->ConnInfo("postgres")));
  Control control;
  std::vector<std::string> told;
  EventHook events([&](const Event& event) {
    if (std::holds_alternative<CaughtUp>(event)) {
      EXPECT_OK(writer.Exec("BEGIN; SELECT txid_current()"));
      control.RequestCutover();
    }
    if (const auto* lag = std::get_if<Lag>(&event);
        lag != nullptr && told.empty() &&
        lag->waiting_for.starts_with("writes on the source to stop")) {
      // The thaw waits for it, and gives up.
      EXPECT_OK(holder.Exec("BEGIN; ALTER DATABASE app SET test.hold = '1'"));
      told.push_back("held");
    }
    const auto* notice = std::get_if<Notice>(&event);
    if (notice == nullptr) return;
    if (notice->text.find("the source is still read-only") !=
        std::string::npos) {
      EXPECT_OK(holder.Exec("ROLLBACK"));
      told.push_back("still read-only");
    }
    if (notice->text.find("it takes writes again") != std::string::npos) {
      told.push_back("thawed");
      EXPECT_OK(writer.Exec("COMMIT"));
      ExpectWritable();
      control.RequestCutover();
    }
  });
  ASSERT_OK(RunMigration(options, control, events));
  EXPECT_THAT(told, ElementsAre("held", "still read-only", "thawed"));
  ExpectEqual();
}

TEST_F(CutoverTest, WhoseReportCannotBeStoredLeavesTheSourceWritable) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  Control control;
  EventHook events([&](const Event& event) {
    if (std::holds_alternative<CaughtUp>(event)) control.RequestCutover();
    const auto* notice = std::get_if<Notice>(&event);
    if (notice != nullptr && notice->text == "refreshing public.slow") {
      EXPECT_OK(OnTarget(
          "ALTER TABLE walferry.migration RENAME COLUMN report TO sort"));
    }
  });
  EXPECT_THAT(RunMigration(options, control, events).status(), Not(IsOk()));
  ExpectWritable();
}

TEST_F(CutoverTest, OfItsOwnAccordDoesNotFreezeForEver) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  options.cutover = CutoverMode::kAuto;
  options.cutover_timeout = absl::Seconds(3);
  ASSERT_OK_AND_ASSIGN(
      SqlConnection writer,
      SqlConnection::Open(source_->ConnInfo("app") + kUntouched));
  bool given_up = false;
  Control control;
  EventHook events([&](const Event& event) {
    if (std::holds_alternative<CaughtUp>(event)) {
      EXPECT_OK(writer.Exec("BEGIN; SELECT txid_current()"));
    }
    const auto* notice = std::get_if<Notice>(&event);
    if (notice == nullptr ||
        !notice->text.starts_with("cutover given up, still following")) {
      return;
    }
    EXPECT_THAT(notice->text, HasSubstr("trying again in 3s"));
    ExpectWritable();
    EXPECT_OK(writer.Exec("COMMIT"));
    given_up = true;
  });
  ASSERT_OK(RunMigration(options, control, events));
  EXPECT_TRUE(given_up);
  ExpectEqual();
}

TEST_F(CutoverTest, FreezesNothingWhileTheStreamIsFarBehind) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE books"));
  ASSERT_OK(OnSource("INSERT INTO books VALUES (2, 'two')"));
  run.control().RequestCutover();
  ASSERT_TRUE(run.events().WaitFor<Lag>([](const Lag& lag) {
    return lag.waiting_for == "the lag to be short enough to freeze the source";
  }));
  ExpectWritable();
  ASSERT_OK(holder.Exec("COMMIT"));
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, GivenUpBeforeTheFreezeIsForgotten) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  options.cutover_timeout = absl::Seconds(1);
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE books"));
  ASSERT_OK(OnSource("INSERT INTO books VALUES (2, 'two')"));
  run.control().RequestCutover();
  ASSERT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text.starts_with("cutover given up, still following");
  }));
  const size_t beats = run.events().All<Lag>().size();
  ASSERT_TRUE(
      WaitUntil([&] { return run.events().All<Lag>().size() >= beats + 2; }));
  const Lag last = run.events().All<Lag>().back();
  EXPECT_EQ(last.phase, Phase::kFollow);
  EXPECT_EQ(last.waiting_for, "");
  ASSERT_OK(holder.Exec("COMMIT"));
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace walferry
