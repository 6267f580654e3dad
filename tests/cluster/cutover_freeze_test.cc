// A cutover that made the source read-only and did not come to its end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/migration.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(CutoverTest, ThatIsStoppedLeavesTheSourceWritable) {
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  CutOverUntilTheSlowView(run);
  EXPECT_THAT(source_->Exec("DELETE FROM notes", "app"), Not(IsOk()));
  run.control().RequestStop();
  EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  ExpectWritable();
  EXPECT_THAT(OnTarget("SELECT count(*) FROM walferry.object WHERE kind = "
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
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  ASSERT_OK_AND_ASSIGN(auto superuser,
                       SqlConnection::Open(source_->ConnInfo("app")));
  run.control().RequestCutover();
  EXPECT_THAT(run.Result().status(),
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("source: freeze: cannot end pid ")));
  ExpectWritable();
}

TEST_F(CutoverTest, ThatWasKilledDoesNotLeaveTheSourceReadOnlyForEver) {
  {
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  ASSERT_OK(source_->Exec(
      "ALTER DATABASE app SET default_transaction_read_only = on"));
  ASSERT_OK(target_->Exec(
      "INSERT INTO walferry.object VALUES ('test', 'source', 'setting', "
      "'default_transaction_read_only', '')",
      "app"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
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

}  // namespace
}  // namespace walferry
