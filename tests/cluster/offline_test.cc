// RunMigration with MigrateMode::kOffline: one state of the source, without
// replication, whole and once.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(OfflineTest, MovesADatabaseOfAServerWithoutReplication) {
  ASSERT_OK(OnSource(
      "CREATE MATERIALIZED VIEW totals AS SELECT account, sum(amount) FROM "
      "orders GROUP BY 1; CREATE INDEX ON totals (account);"
      "CREATE TABLE audit (what text);"
      "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN "
      "INSERT INTO audit VALUES (TG_OP); RETURN NEW; END$$;"
      "CREATE TRIGGER audit AFTER INSERT ON notes FOR EACH ROW EXECUTE "
      "FUNCTION audit();"
      "CREATE UNLOGGED TABLE sessions AS SELECT 1 AS i"));
  ASSERT_OK(OnSource(kLargeObjects));
  ASSERT_OK(OnTarget("CREATE ROLE reader"));
  ASSERT_OK_AND_ASSIGN(const Report report, Migrate(Options()));
  ExpectEqual();
  EXPECT_TRUE(report.offline);
  EXPECT_EQ(report.tables, 6);
  EXPECT_EQ(report.sequences_set, 3);
  EXPECT_EQ(report.materialized_views_refreshed, 1);
  EXPECT_TRUE(report.applied_lsn.valid());
  EXPECT_EQ(LeftOnSource(), "0");
  ASSERT_OK_AND_ASSIGN(const std::string objects,
                       SourceValue(kLargeObjectFacts));
  EXPECT_THAT(objects, HasSubstr("7003"));
  EXPECT_THAT(TargetValue(kLargeObjectFacts), IsOkAndHolds(objects));
  // The trigger is there, and has seen none of the copied rows.
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("0"));
  ASSERT_OK(OnTarget("INSERT INTO notes VALUES ('new', 1)"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM audit"), IsOkAndHolds("1"));
  EXPECT_THAT(TargetValue("SELECT count(*) FROM pg_replication_origin"),
              IsOkAndHolds("0"));
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const MigrationStatus status,
      RunStatus({.target = target_->ConnInfo("app"), .name = "test"}, control));
  EXPECT_EQ(status.phase, "done");
  EXPECT_EQ(status.steps_done, status.steps_total);
  // The same command again says what was done and does nothing.
  ASSERT_OK_AND_ASSIGN(const Report again, Migrate(Options()));
  EXPECT_EQ(again.rows_copied, report.rows_copied);
  EXPECT_TRUE(again.offline);
}

// That one is done says nothing of another that has its name.
TEST_F(OfflineTest, IsDoneForItsOwnSourceAndScopeOnly) {
  ASSERT_OK(Migrate(Options()));
  MigrateOptions other = Options();
  other.scope.tables = {"notes"};
  EXPECT_THAT(Migrate(other).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --table [], not "
                       "[\"notes\"]"));
  other = Options();
  other.endpoints.source = source_->ConnInfo("postgres");
  const absl::Status refused = Migrate(other).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("source: this is database postgres of system"));
}

// As the server is, an online migration would be refused for five reasons.
TEST_F(OfflineTest, ChecksNothingThatOnlyAStreamNeeds) {
  ASSERT_OK(OnSource("CREATE TABLE unkeyed (i int)"));
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = Options()}, control));
  EXPECT_THAT(report.Blocking({}), testing::IsEmpty());
  MigrateOptions online = Options();
  online.mode = MigrateMode::kOnline;
  ASSERT_OK_AND_ASSIGN(const CheckReport other,
                       RunCheck({.migrate = online}, control));
  std::vector<std::string> ids;
  for (const Finding* finding : other.Blocking({})) ids.push_back(finding->id);
  EXPECT_THAT(ids, testing::IsSupersetOf({"wal-level", "replication-connection",
                                          "wal-senders", "replica-identity"}));
}

TEST_F(OfflineTest, KeepsToItsMode) {
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  MigrateOptions online = Options();
  online.mode = MigrateMode::kOnline;
  const absl::Status status = Migrate(online).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "this migration was begun with --mode offline"));
  EXPECT_EQ(HintOf(status),
            "go on with the same --mode, or choose another --name");
  Control control;
  EventRecorder events;
  EXPECT_THAT(RunCutover({.target = target_->ConnInfo("app"), .name = "test"},
                         control, events)
                  .status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "test is an offline migration: there is nothing to cut "
                       "over"));
}

TEST_F(OfflineTest, TellsOfPreparedTransactions) {
  StartServers({.settings = {{"max_prepared_transactions", "2"}}});
  CreateApp();
  ASSERT_OK(OnSource("CREATE TABLE t (i int PRIMARY KEY)"));
  ASSERT_OK(
      OnSource("BEGIN; INSERT INTO t VALUES (1); PREPARE TRANSACTION 'p'"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(Notices(),
              Contains(HasSubstr("what it wrote is not carried until then")));
  ASSERT_OK(OnSource("ROLLBACK PREPARED 'p'"));
}

// The check compared names that one side's setting had quoted.
TEST_F(OfflineTest, TakesNoNamesThatADatabaseQuotesForOthers) {
  ASSERT_OK(target_->Exec("ALTER DATABASE app SET quote_all_identifiers = on"));
  ASSERT_OK(Migrate(Options()));
  ASSERT_OK(target_->Exec("ALTER DATABASE app RESET quote_all_identifiers"));
  ExpectEqual();
}

// Foreign keys, triggers and rules come after the rows: no right to keep them
// quiet is needed.
TEST_F(OfflineTest, NeedsNoSuperuser) {
  ASSERT_OK(
      target_->Exec("CREATE ROLE mover LOGIN; GRANT CREATE ON DATABASE "
                    "app TO mover"));
  ASSERT_OK(OnTarget("GRANT ALL ON SCHEMA public TO mover"));
  ASSERT_OK(
      source_->Exec("CREATE ROLE reading LOGIN; GRANT pg_read_all_data "
                    "TO reading"));
  ASSERT_OK(OnSource(
      "ALTER TABLE orders ADD CONSTRAINT to_account FOREIGN KEY (account) "
      "REFERENCES accounts; CREATE TRIGGER same BEFORE UPDATE ON notes FOR "
      "EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reading", "", "app");
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  options.no_owner = true;
  options.no_acl = true;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_EQ(
      TargetValue(
          "SELECT string_agg(pg_get_constraintdef(oid), ' ') "
          "FROM pg_constraint WHERE conrelid = 'orders'::regclass AND contype "
          "= 'f'")
          .value(),
      "FOREIGN KEY (account) REFERENCES accounts(id)");
  EXPECT_EQ(TargetValue("SELECT string_agg(tgname, ' ') FROM pg_trigger WHERE "
                        "NOT tgisinternal")
                .value(),
            "same");
}

}  // namespace
}  // namespace walferry
