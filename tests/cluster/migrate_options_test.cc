// RunMigration with options that most migrations leave alone: what each of
// them changes.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/cluster/migrate_fixture.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

constexpr char kStatistics[] =
    "SELECT count(*) FROM pg_statistic WHERE starelid >= 16384";

class MigrateOptionsTest : public MigrateTest {
 protected:
  void SetUp() override {
    MigrateTest::SetUp();
    if (HasFatalFailure()) return;
    // Only walferry is to make statistics.
    ASSERT_OK(target_->Exec("ALTER SYSTEM SET autovacuum = off"));
    ASSERT_OK(target_->Exec("SELECT pg_reload_conf()"));
  }

  // Moves the database, with some changes during follow.
  absl::StatusOr<Report> MigrateWhile(const MigrateOptions& options,
                                      const std::string& changes) {
    BackgroundRun run(options);
    if (!run.CatchesUp()) return run.Stop();
    if (absl::Status made = OnSource(changes); !made.ok()) return made;
    run.control().RequestCutover();
    return run.Result();
  }
};

TEST_F(MigrateOptionsTest, SlotAndPublicationAreKeptAndTheRestIsLeftUndone) {
  MigrateOptions options = Options();
  options.keep_slot = true;
  options.keep_publication = true;
  options.sequence_sync = false;
  options.analyze = false;
  ASSERT_OK_AND_ASSIGN(
      const Report report,
      MigrateWhile(options, "INSERT INTO notes VALUES ('late', 1)"));
  EXPECT_THAT(SourceValue("SELECT slot_name FROM pg_replication_slots"),
              IsOkAndHolds("walferry_test"));
  EXPECT_THAT(SourceValue("SELECT pubname FROM pg_publication"),
              IsOkAndHolds("walferry_test"));
  EXPECT_EQ(report.sequences_set, 0);
  EXPECT_THAT(report.remarks, Contains(HasSubstr("--no-sequence-sync")));
  EXPECT_THAT(TargetValue("SELECT last_value || ',' || is_called FROM tickets"),
              IsOkAndHolds("1,false"));
  EXPECT_THAT(TargetValue(kStatistics), IsOkAndHolds("0"));
  ExpectEqual({.sequences = false});
  // Cleanup knows of what was kept.
  Control control;
  ASSERT_OK(RunCleanup({.endpoints = options.endpoints}, control));
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateOptionsTest, SoManyIndexesAreBuiltAtOnce) {
  ASSERT_OK(OnSource("CREATE INDEX ON notes (body)"));
  MigrateOptions options = Options();
  options.index_jobs = 3;
  {
    Control control;
    AtPhase events(Phase::kCopy, [&] { control.RequestStop(); });
    EXPECT_EQ(RunMigration(options, control, events).status().code(),
              absl::StatusCode::kCancelled);
  }
  // Every step waits at its beginning, where it notes itself. Four tables have
  // one.
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
  ASSERT_TRUE(WaitUntil([&] { return waiting() == "3"; })) << waiting();
  // It tells of every step that begins, and every second.
  const size_t told = run.events().All<Progress>().size();
  ASSERT_TRUE(WaitUntil(
      [&] { return run.events().All<Progress>().size() >= told + 2; }));
  EXPECT_EQ(waiting(), "3");
  ASSERT_OK(holder.Exec("COMMIT"));
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
  EXPECT_THAT(TargetValue(kStatistics), ::testing::Not(IsOkAndHolds("0")));
}

// The publication publishes more than is wanted, and the role owns nothing.
TEST_F(MigrateOptionsTest, AReaderMovesAPartThroughAPublicationThatExists) {
  ASSERT_OK(OnSource(
      "CREATE SCHEMA extra; CREATE SCHEMA other;"
      "CREATE TABLE extra.kept (id int PRIMARY KEY);"
      "CREATE TABLE extra.\"Kept\" (id int PRIMARY KEY);"
      "CREATE TABLE other.kept (id int PRIMARY KEY);"
      "CREATE TABLE skipped_1 (id int PRIMARY KEY);"
      "CREATE TABLE log (id int PRIMARY KEY);"
      "CREATE TABLE keyless (v int);"
      "INSERT INTO extra.kept VALUES (1); INSERT INTO extra.\"Kept\" VALUES "
      "(1); INSERT INTO other.kept VALUES (1); INSERT INTO skipped_1 VALUES "
      "(1); INSERT INTO log VALUES (1); INSERT INTO keyless VALUES (1);"
      "CREATE PUBLICATION existing FOR ALL TABLES;"
      "CREATE ROLE reader LOGIN REPLICATION;"
      "GRANT USAGE ON SCHEMA extra TO reader;"
      "GRANT SELECT ON ALL TABLES IN SCHEMA public, extra TO reader;"
      "GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO reader"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reader", "", "app");
  options.no_acl = true;
  options.publication = "existing";
  options.slot = "chosen";
  options.scope = {.schemas = {"public", "ext*"},
                   .tables = {"public.*", "kept"},
                   .exclude_tables = {"skipped_?"},
                   .exclude_table_data = {"public.log"}};
  EXPECT_THAT(Migrate(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::AllOf(HasSubstr("public.keyless"),
                                        HasSubstr("[replica-identity]"))));
  options.accept = {"replica-identity"};
  ASSERT_OK(MigrateWhile(
      options,
      "INSERT INTO keyless VALUES (2); INSERT INTO extra.kept VALUES (2);"
      "INSERT INTO log VALUES (2); INSERT INTO skipped_1 VALUES (2);"
      "INSERT INTO extra.\"Kept\" VALUES (2); INSERT INTO other.kept VALUES "
      "(2); UPDATE accounts SET balance = 7 WHERE id < 10;"
      "SELECT nextval('tickets')"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM log"), IsOkAndHolds("0"));
  EXPECT_THAT(
      TargetValue("SELECT string_agg(oid::regclass::text, ',' ORDER BY relname "
                  "COLLATE \"C\") FROM pg_class WHERE relkind = 'r' AND "
                  "relnamespace::regnamespace::text NOT IN ('pg_catalog', "
                  "'information_schema', 'walferry')"),
      IsOkAndHolds("accounts,extra.kept,keyless,log,notes,orders,tags"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_namespace WHERE nspname = "
                          "'other'"),
              IsOkAndHolds("0"));
  ExpectEqual({.excluded_schemas = {"walferry", "other"},
               .excluded_relations = {"public.log", "public.skipped_1",
                                      "extra.\"Kept\""}});
  // Not walferry's to drop.
  EXPECT_THAT(SourceValue("SELECT pubname FROM pg_publication"),
              IsOkAndHolds("existing"));
  EXPECT_THAT(SourceValue("SELECT count(*) FROM pg_replication_slots"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
