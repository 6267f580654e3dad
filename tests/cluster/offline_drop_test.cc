// RunMigration with drop_target_first: the target's database gives way to an
// empty one, or everything stays as it is.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <thread>

#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class OfflineDropTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(
        OnTarget("CREATE TABLE accounts (theirs int); INSERT INTO accounts "
                 "VALUES (42)"));
  }

  MigrateOptions Dropping() const {
    MigrateOptions options = Options();
    options.drop_target_first = true;
    return options;
  }

  void ExpectAsItWas() const {
    EXPECT_THAT(TargetValue("SELECT theirs FROM accounts"), IsOkAndHolds("42"));
    ExpectNothingAside();
  }
  // What the database that takes its place is called at first.
  std::string Fresh() const {
    return absl::StrCat(
        "walferry_new_",
        target_->QueryValue("SELECT oid FROM pg_database WHERE datname = 'app'")
            .value_or("?"),
        "_app");
  }
  void ExpectNothingAside() const {
    EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_database WHERE "
                                    "datname LIKE 'walferry%'"),
                IsOkAndHolds("0"));
  }
};

TEST_F(OfflineDropTest, MakesTheDatabaseAgainAndFillsIt) {
  ASSERT_OK(target_->Exec("CREATE ROLE ada"));
  ASSERT_OK(target_->Exec(
      "ALTER DATABASE app OWNER TO ada; ALTER DATABASE app SET "
      "work_mem = '5MB'; GRANT TEMPORARY ON DATABASE app TO ada"));
  ASSERT_OK(Migrate(Dropping()));
  ExpectEqual();
  ExpectNothingAside();
  EXPECT_THAT(target_->QueryValue(
                  "SELECT datdba::regrole || ' ' || (SELECT setconfig::text "
                  "FROM pg_db_role_setting WHERE setdatabase = d.oid) FROM "
                  "pg_database d WHERE datname = 'app'"),
              IsOkAndHolds("ada {work_mem=5MB}"));
  EXPECT_THAT(Notices(),
              Contains("database app was dropped and made again, empty"));
  // Done is done: what the applications write to by now is not dropped, and
  // nobody may take it for a new copy.
  ASSERT_OK(OnTarget("CREATE TABLE later ()"));
  const absl::Status again = Migrate(Dropping()).status();
  EXPECT_THAT(again, StatusIs(absl::StatusCode::kFailedPrecondition,
                              "this migration is done: database app is what it "
                              "has made, and is not dropped"));
  EXPECT_EQ(HintOf(again),
            "`walferry cleanup --name test` forgets it; then the same command "
            "drops the database and begins anew");
  EXPECT_OK(OnTarget("SELECT FROM later"));
  // Nothing of what was refused sticks to what is done.
  EXPECT_THAT(TargetValue("SELECT last_error FROM walferry.migration"),
              IsOkAndHolds(""));
}

TEST_F(OfflineDropTest, RefusesWhileOthersAreInside) {
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK_AND_ASSIGN(const std::string pid,
                       other.QueryValue("SELECT pg_backend_pid()"));
  const absl::Status status = Migrate(Dropping()).status();
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kFailedPrecondition,
               AllOf(StartsWith(absl::StrCat("target: database app is in use "
                                             "and was not dropped: pid ",
                                             pid, " (postgres, ")),
                     HasSubstr("from 127.0.0.1"))));
  EXPECT_EQ(
      HintOf(status),
      "see that they end, or end them: SELECT pg_terminate_backend(PID);");
  EXPECT_OK(other.QueryValue("SELECT theirs FROM accounts"));
  ExpectAsItWas();
}

TEST_F(OfflineDropTest, NeverDropsTheSourceItself) {
  MigrateOptions options = Dropping();
  // By another way in.
  options.endpoints.target =
      absl::StrCat(options.endpoints.source, "?application_name=other");
  EXPECT_THAT(Migrate(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("target: this is the source's own database, "
                                 "app on 127.0.0.1:")));
  EXPECT_THAT(SourceValue("SELECT count(*) FROM accounts"),
              IsOkAndHolds("3000"));
}

TEST_F(OfflineDropTest, LeavesTheOldOneWhereAnythingBlocks) {
  ASSERT_OK(source_->Exec("CREATE ROLE ada"));
  ASSERT_OK(OnSource("ALTER TABLE notes OWNER TO ada"));
  EXPECT_THAT(Migrate(Dropping()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("role ada does not exist")));
  ExpectAsItWas();
  // What it holds itself stands in nobody's way.
  Control control;
  MigrateOptions options = Dropping();
  options.no_owner = true;
  ASSERT_OK_AND_ASSIGN(const CheckReport report,
                       RunCheck({.migrate = options}, control));
  EXPECT_THAT(report.Blocking({}), testing::IsEmpty());
  ASSERT_OK(Migrate(options));
  ExpectEqual();
}

TEST_F(OfflineDropTest, DropsNothingThatItMayNotMakeAgain) {
  ASSERT_OK(target_->Exec(
      "CREATE ROLE mover LOGIN; ALTER DATABASE app OWNER TO mover;"
      "ALTER ROLE postgres IN DATABASE app SET work_mem = '6MB'"));
  ASSERT_OK(OnTarget("ALTER TABLE accounts OWNER TO mover"));
  MigrateOptions options = Dropping();
  options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
  const absl::Status barred = Migrate(options).status();
  EXPECT_THAT(barred, StatusIs(absl::StatusCode::kFailedPrecondition,
                               "target: role mover may not create databases"));
  EXPECT_EQ(HintOf(barred),
            "give it CREATEDB, or drop and create database app yourself");
  ExpectAsItWas();
  // A setting of a role that it may not alter.
  ASSERT_OK(target_->Exec("ALTER ROLE mover CREATEDB"));
  options.no_owner = true;
  options.no_acl = true;
  const absl::Status refused = Migrate(options).status();
  EXPECT_THAT(std::string(refused.message()),
              AllOf(StartsWith("target: database app cannot be made again: "
                               "ALTER ROLE postgres IN DATABASE app SET"),
                    testing::EndsWith("; database app is as it was")));
  ExpectAsItWas();
}

TEST_F(OfflineDropTest, GoesOnWithoutDroppingAgain) {
  ASSERT_OK(OnTarget("DROP TABLE accounts"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  constexpr char kFirstRow[] =
      "SELECT format('%s %s', ctid, xmin) FROM accounts WHERE id = 1";
  ASSERT_OK_AND_ASSIGN(const std::string row, TargetValue(kFirstRow));
  ASSERT_OK(Migrate(Dropping()));
  ExpectEqual();
  EXPECT_THAT(Notices(), Contains(HasSubstr("is not dropped")));
  EXPECT_THAT(TargetValue(kFirstRow), IsOkAndHolds(row));
}

TEST_F(OfflineDropTest, ForgetsNoSlotOfAnotherMigration) {
  ASSERT_OK(OnTarget("DROP TABLE accounts"));
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK(
      OnTarget("INSERT INTO walferry.object (migration, side, kind, identity, "
               "detail) VALUES ('test', 'source', 'slot', 'walferry_test', "
               "'')"));
  MigrateOptions options = Dropping();
  options.endpoints.name = "another";
  const absl::Status status = Migrate(options).status();
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "target: database app holds the ledger of migration "
               "test, whose slot walferry_test would be forgotten if it "
               "were dropped"));
  EXPECT_EQ(HintOf(status), "first: walferry cleanup --name test");
  EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.migration"),
              IsOkAndHolds("1"));
  ASSERT_OK(OnTarget("DELETE FROM walferry.object"));
  ASSERT_OK(Migrate(options));
  ExpectEqual();
}

// As runs leave them that are killed in between.
TEST_F(OfflineDropTest, DropsNothingBesideWhatAKilledRunHasLeft) {
  ASSERT_OK(target_->Exec("CREATE DATABASE walferry_old_app"));
  const absl::Status aside = Migrate(Dropping()).status();
  EXPECT_THAT(aside,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: database app was not dropped: there is "
                       "walferry_old_app, which an earlier run has put aside, "
                       "with all that app held before it"));
  EXPECT_THAT(HintOf(aside),
              HasSubstr("ALTER DATABASE \"walferry_old_app\" RENAME TO "
                        "\"app\""));
  const std::string fresh = Fresh();
  ASSERT_OK(target_->Exec(
      absl::StrCat("ALTER DATABASE walferry_old_app RENAME TO ", fresh)));
  EXPECT_THAT(Migrate(Dropping()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("target: database app was not dropped: "
                                    "there is ",
                                    fresh,
                                    ", which an earlier run has made and not "
                                    "come to use")));
  EXPECT_THAT(TargetValue("SELECT theirs FROM accounts"), IsOkAndHolds("42"));
  ASSERT_OK(target_->Exec(absl::StrCat("DROP DATABASE ", fresh)));
  ASSERT_OK(Migrate(Dropping()));
  ExpectEqual();
}

TEST_F(OfflineDropTest, NamesWhatAKilledRunHasPutAside) {
  ASSERT_OK(target_->Exec("CREATE DATABASE walferry_old_app"));
  ASSERT_OK(OnTarget("DROP TABLE accounts"));
  ASSERT_OK(Migrate(Options()));
  EXPECT_THAT(
      Notices(),
      Contains("there is database walferry_old_app, which an earlier run has "
               "put aside, with all that app held before it; to do without "
               "it: DROP DATABASE \"walferry_old_app\" WITH (FORCE);"));
}

// Whose database appears only when it commits.
TEST_F(OfflineDropTest, DropsNoDatabaseThatAnotherRunHasJustMade) {
  const std::string fresh = Fresh();
  ASSERT_OK(target_->Exec("CREATE DATABASE theirs"));
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(target_->ConnInfo()));
  ASSERT_OK(other.Exec(
      absl::StrCat("BEGIN; ALTER DATABASE theirs RENAME TO ", fresh)));
  absl::Status status;
  std::thread run([&] { status = Migrate(Dropping()).status(); });
  const bool waits = WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "wait_event_type = 'Lock' AND query LIKE 'CREATE "
                   "DATABASE%'")
               .value_or("") == "1";
  });
  EXPECT_OK(other.Exec("COMMIT"));
  run.join();
  EXPECT_TRUE(waits);
  EXPECT_THAT(std::string(status.message()),
              StartsWith("target: database app was not dropped, as one like "
                         "it cannot be made: "));
  EXPECT_EQ(HintOf(status),
            "another run is about to replace it, too: see what becomes of "
            "that one");
  EXPECT_THAT(TargetValue("SELECT theirs FROM accounts"), IsOkAndHolds("42"));
  EXPECT_OK(target_->Exec(absl::StrCat("DROP DATABASE ", fresh)));
}

}  // namespace
}  // namespace walferry
