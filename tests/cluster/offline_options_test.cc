// RunMigration with MigrateMode::kOffline: what the options that most offline
// migrations leave alone change.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "engine/migration/migration.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class OfflineOptionsTest : public OfflineTest {
 protected:
  // Stops when the phase begins.
  void StopAt(const MigrateOptions& options, Phase phase) {
    Control control;
    AtPhase events(phase, [&] { control.RequestStop(); });
    EXPECT_EQ(RunMigration(options, control, events).status().code(),
              absl::StatusCode::kCancelled);
  }
};

TEST_F(OfflineOptionsTest, OwnersComeAlongOrStay) {
  ASSERT_OK(source_->Exec("CREATE ROLE ada"));
  ASSERT_OK(OnSource("ALTER TABLE notes OWNER TO ada"));
  EXPECT_THAT(std::string(Migrate(Options()).status().message()),
              HasSubstr("role ada does not exist: it owns objects"));
  MigrateOptions options = Options();
  options.no_owner = true;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_THAT(
      TargetValue("SELECT relowner::regrole FROM pg_class WHERE relname "
                  "= 'notes'"),
      IsOkAndHolds("postgres"));
}

TEST_F(OfflineOptionsTest, PrivilegesComeAlongOrStay) {
  constexpr char kGrants[] =
      "SELECT count(*) FROM pg_class WHERE relname = 'notes' AND relacl IS NOT "
      "NULL";
  ASSERT_OK(source_->Exec("CREATE ROLE bob"));
  ASSERT_OK(target_->Exec("CREATE ROLE bob"));
  ASSERT_OK(OnSource("GRANT SELECT ON notes TO bob"));
  MigrateOptions options = Options();
  options.no_acl = true;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_THAT(TargetValue(kGrants), IsOkAndHolds("0"));
  // Beside it, with them.
  ASSERT_OK(target_->Exec("CREATE DATABASE second"));
  options.no_acl = false;
  options.endpoints.target = target_->ConnInfo("second");
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(target_->QueryValue(kGrants, "second"), IsOkAndHolds("1"));
}

TEST_F(OfflineOptionsTest, WhatIsExcludedStays) {
  ASSERT_OK(
      OnSource("CREATE SCHEMA other; CREATE TABLE other.kept (id int); INSERT "
               "INTO other.kept VALUES (1); CREATE TABLE skipped_1 (id int)"));
  MigrateOptions options = Options();
  options.scope = {.exclude_schemas = {"oth*"},
                   .exclude_tables = {"skipped_?"},
                   .exclude_table_data = {"public.orders"}};
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(
      TargetValue("SELECT string_agg(relname, ',' ORDER BY relname) FROM "
                  "pg_class WHERE relkind = 'r' AND relnamespace::regnamespace"
                  "::text NOT IN ('pg_catalog', 'information_schema', "
                  "'walferry')"),
      IsOkAndHolds("accounts,notes,orders,tags"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM orders"), IsOkAndHolds("0"));
  EXPECT_TRUE(DatabasesEqual(
      source_->ConnInfo("app"), target_->ConnInfo("app"),
      {.excluded_schemas = {"walferry", "other"},
       .excluded_relations = {"public.orders", "public.skipped_1"}}));
}

TEST_F(OfflineOptionsTest, StatisticsAreLeftToTheServer) {
  constexpr char kStatistics[] =
      "SELECT count(*) FROM pg_statistic WHERE starelid >= 16384";
  ASSERT_OK(target_->Exec("ALTER SYSTEM SET autovacuum = off"));
  ASSERT_OK(target_->Exec("SELECT pg_reload_conf()"));
  MigrateOptions options = Options();
  options.analyze = false;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_THAT(TargetValue(kStatistics), IsOkAndHolds("0"));
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "test"}, control));
  EXPECT_EQ(status.steps_done, status.steps_total);
  ASSERT_OK(target_->Exec("CREATE DATABASE second"));
  options.endpoints.target = target_->ConnInfo("second");
  options.analyze = true;
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(target_->QueryValue(kStatistics, "second"),
              Not(IsOkAndHolds("0")));
}

// Of five tables as many are copied at once as there are jobs: all wait for the
// lock of theirs.
TEST_F(OfflineOptionsTest, SoManyTablesAreCopiedAtOnce) {
  ASSERT_OK(OnSource("CREATE TABLE fifth AS SELECT 1 AS i"));
  MigrateOptions options = Options();
  options.split_bytes = uint64_t{1} << 30;
  options.jobs = 3;
  StopAt(options, Phase::kCopy);
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(holder.Exec(
      "BEGIN; LOCK TABLE accounts, orders, notes, tags, fifth IN ROW SHARE "
      "MODE"));
  BackgroundRun run(options);
  const auto waiting = [&] {
    return TargetValue(
               "SELECT count(*) FROM pg_stat_activity WHERE application_name = "
               "'walferry copy' AND wait_event_type = 'Lock'")
        .value_or("");
  };
  EXPECT_TRUE(WaitUntil([&] { return waiting() == "3"; })) << waiting();
  ASSERT_OK(holder.Exec("COMMIT"));
  ASSERT_OK(run.Result());
  ExpectEqual();
}

// Every step waits at its beginning, where it notes itself.
TEST_F(OfflineOptionsTest, SoManyIndexesAreBuiltAtOnce) {
  ASSERT_OK(OnSource("CREATE INDEX ON notes (body)"));
  MigrateOptions options = Options();
  options.index_jobs = 3;
  StopAt(options, Phase::kIndexes);
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE walferry.step IN SHARE MODE"));
  BackgroundRun run(options);
  const auto waiting = [&] {
    return TargetValue(
               "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = "
               "'walferry.step'::regclass")
        .value_or("");
  };
  EXPECT_TRUE(WaitUntil([&] { return waiting() == "3"; })) << waiting();
  ASSERT_OK(holder.Exec("COMMIT"));
  ASSERT_OK(run.Result());
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
