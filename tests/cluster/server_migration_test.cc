// RunServerMigration: all databases of a server, from one to another.

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/substitute.h"
#include "absl/time/clock.h"
#include "engine/migration/migration.h"
#include "engine/server/connection_budget.h"
#include "protocol/status.h"
#include "tests/cluster/server_fixture.h"
#include "tests/cluster/status_of_move.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/server_upgrades.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Acts at an event of one database, once.
class AtDatabaseEvent : public ServerEventSink {
 public:
  AtDatabaseEvent(std::string database, Phase phase, std::function<void()> act)
      : database_(std::move(database)), phase_(phase), act_(std::move(act)) {}

  void OnEvent(absl::string_view database, const Event& event) override {
    const auto* started = std::get_if<PhaseStarted>(&event);
    if (started == nullptr || started->phase != phase_ ||
        database != database_) {
      return;
    }
    act_();
  }

 private:
  const std::string database_;
  const Phase phase_;
  const std::function<void()> act_;
};

TEST_F(ServerTest, MovesEveryDatabaseWithRolesAndTablespaces) {
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(MoveOptions()));
  ASSERT_OK(OutcomeOf(report));
  ExpectAllEqual();
  EXPECT_THAT(report.left_out, ElementsAre("postgres (is empty)"));
  ASSERT_EQ(report.databases.size(), std::size(kNames));
  EXPECT_EQ(report.databases.back().database, "large");
  for (const DatabaseReport& database : report.databases) {
    SCOPED_TRACE(database.database);
    std::vector<Phase> phases;
    for (const PhaseTime& time : database.phases) phases.push_back(time.phase);
    EXPECT_THAT(phases,
                ElementsAre(Phase::kCheck, Phase::kPrepare, Phase::kSchema,
                            Phase::kCopy, Phase::kIndexes));
    EXPECT_EQ(moves_.All<Done>(database.database).size(), 1u);
  }
  EXPECT_EQ(moves_.All<Done>("").size(), 1u);
  EXPECT_THAT(target_->QueryValue("SELECT spcname FROM pg_tablespace t JOIN "
                                  "pg_database d ON dattablespace = t.oid "
                                  "WHERE datname = 'spaced'"),
              IsOkAndHolds("fast"));

  // Once more: what is done stays, also what its owner has made of it.
  ASSERT_OK(target_->Exec("ALTER DATABASE shop CONNECTION LIMIT 5"));
  ASSERT_OK_AND_ASSIGN(const ServerReport again, Move(MoveOptions()));
  EXPECT_OK(OutcomeOf(again));
  EXPECT_EQ(TotalOf(again).rows_copied, TotalOf(report).rows_copied);
  EXPECT_THAT(target_->QueryValue("SELECT datconnlimit FROM pg_database WHERE "
                                  "datname = 'shop'"),
              IsOkAndHolds("5"));

  // And what the ledgers say of it, until they are forgotten.
  ASSERT_OK_AND_ASSIGN(const ServerStatus status, StatusOfMove(*target_));
  Control control;
  EXPECT_EQ(status.phase, "done");
  EXPECT_FALSE(status.running);
  ASSERT_EQ(status.databases.size(), std::size(kNames));
  for (const DatabaseStatus& database : status.databases) {
    EXPECT_EQ(database.phase, "done");
    EXPECT_EQ(database.tables_copied, database.tables);
    EXPECT_GT(database.bytes, 0);
  }
  ASSERT_OK_AND_ASSIGN(
      const std::vector<std::string> cleaned,
      RunServerCleanup({.endpoints = MoveOptions().migrate.endpoints},
                       control));
  EXPECT_THAT(cleaned,
              Contains("database shop: target: ledger of migration move "
                       "forgotten"));
  EXPECT_EQ(cleaned.back(),
            "target: ledger of migration move (all databases) forgotten");
  for (const char* name : {"postgres", "shop", "Odd \"name\""}) {
    EXPECT_THAT(
        target_->QueryValue("SELECT to_regnamespace('walferry') IS NULL", name),
        IsOkAndHolds("t"));
  }
}

class ServerUpgradeTest : public ServerTest,
                          public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  void SetUp() override {
    StartAndLoad({.bin_dir = GetParam().source},
                 {.bin_dir = GetParam().target});
  }
};

INSTANTIATE_TEST_SUITE_P(Upgrades, ServerUpgradeTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

TEST_P(ServerUpgradeTest, MovesEveryDatabase) {
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(MoveOptions()));
  EXPECT_OK(OutcomeOf(report));
  ExpectAllEqual();
}

TEST_F(ServerTest, OneThatFailsStopsNoOtherAndIsMendedByTheNextRun) {
  ASSERT_OK(source_->Exec(
      absl::Substitute("CREATE FUNCTION picky(text) RETURNS text IMMUTABLE "
                       "LANGUAGE plpgsql AS $$$$ BEGIN IF "
                       "current_setting('port') <> '$0' THEN RAISE 'not here'; "
                       "END IF; RETURN $$1; END $$$$; CREATE INDEX picky ON "
                       "words (picky(word))",
                       source_->port()),
      "euc"));
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(MoveOptions()));
  const absl::Status outcome = OutcomeOf(report);
  EXPECT_FALSE(outcome.ok());
  EXPECT_THAT(std::string(outcome.message()),
              ::testing::MatchesRegex("7 of 8 databases done\ndatabase euc: "
                                      "(.|\n)*not here(.|\n)*"));
  EXPECT_EQ(moves_.All<Failed>("euc").size(), 1u);
  EXPECT_THAT(moves_.All<Failed>("shop"), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const ServerStatus status, StatusOfMove(*target_));
  EXPECT_THAT(status.last_error, HasSubstr("database euc"));

  ASSERT_OK(target_->Exec(
      "CREATE OR REPLACE FUNCTION picky(text) RETURNS text IMMUTABLE LANGUAGE "
      "sql AS 'SELECT $1'",
      "euc"));
  ASSERT_OK_AND_ASSIGN(const ServerReport again, Move(MoveOptions()));
  EXPECT_OK(OutcomeOf(again));
  ExpectAllEqual();
}

TEST_F(ServerTest, StopsCleanlyAndGoesOn) {
  Control control;
  AtDatabaseEvent events("win", Phase::kCopy, [&] { control.RequestStop(); });
  ASSERT_OK_AND_ASSIGN(const ServerReport report,
                       RunServerMigration(MoveOptions(), control, events));
  EXPECT_TRUE(absl::IsCancelled(OutcomeOf(report))) << OutcomeOf(report);
  EXPECT_TRUE(WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "application_name LIKE 'walferry%'")
               .value_or("") == "0";
  }));
  // With other databases it would be another move.
  ServerMigrateOptions other = MoveOptions();
  other.databases.databases = {"shop"};
  EXPECT_THAT(Move(other).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --database [], not "
                       "[\"shop\"]"));
  ASSERT_OK_AND_ASSIGN(const ServerReport again, Move(MoveOptions()));
  EXPECT_OK(OutcomeOf(again));
  ExpectAllEqual();
}

TEST_F(ServerTest, RefusesWhatTheTargetHasNoConnectionsForAndMakesNothing) {
  ServerMigrateOptions options = MoveOptions();
  options.max_parallel = 8;
  options.dump_parallel = 8;
  options.migrate.jobs = 20;
  const absl::Status refused = Move(options).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(refused.message()),
      HasSubstr("source: 184 connections are needed at the peak, and "));
  EXPECT_THAT(std::string(refused.message()),
              HasSubstr("[server-connections]"));
  EXPECT_THAT(target_->QueryValue("SELECT (SELECT count(*) FROM pg_database) "
                                  "|| ' ' || (SELECT count(*) FROM pg_roles "
                                  "WHERE rolname = 'app') || ' ' || "
                                  "(to_regnamespace('walferry') IS NULL)"),
              IsOkAndHolds("3 0 true"));
  Control control;
  ASSERT_OK_AND_ASSIGN(const CheckReport check,
                       RunServerCheck(options, control));
  EXPECT_EQ(check.Blocking({}).size(), 2u);
}

TEST_F(ServerTest, RefusesDatabasesThatExistUnlessTold) {
  ASSERT_OK(target_->Exec("CREATE DATABASE shop"));
  const absl::Status refused = Move(MoveOptions()).status();
  EXPECT_THAT(refused, StatusIs(absl::StatusCode::kFailedPrecondition,
                                "database shop: exists on the target already "
                                "[database-exists]"));
  ServerMigrateOptions options = MoveOptions();
  options.use_existing = true;
  options.migrate.no_owner = true;
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  ExpectDatabasesEqual(source_->ConnInfo("shop"), target_->ConnInfo("shop"));
}

// It may be of another day: what was done then is not what is to be done now.
TEST_F(ServerTest, RefusesDatabasesThatAnotherMigrationOfItsNameHasMoved) {
  ASSERT_OK(
      target_->Exec("CREATE DATABASE euc TEMPLATE template0 ENCODING "
                    "'EUC_JP' LC_COLLATE 'C' LC_CTYPE 'C'"));
  ServerMigrateOptions options = MoveOptions();
  options.use_existing = true;
  MigrateOptions rehearsal = options.migrate;
  rehearsal.endpoints.source = source_->ConnInfo("euc");
  rehearsal.endpoints.target = target_->ConnInfo("euc");
  Control control;
  EventRecorder events;
  ASSERT_OK(RunMigration(rehearsal, control, events));
  ASSERT_OK(source_->Exec("INSERT INTO words VALUES (0, 'later')", "euc"));
  const absl::Status refused = Move(options).status();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "database euc: the target's has the ledger of a "
                       "migration move that this move has not begun "
                       "[database-ledger]"));
  EXPECT_EQ(HintOf(refused),
            "choose another --name, or forget that migration: `walferry "
            "cleanup --name move` with a --target that names database euc");
  ASSERT_OK_AND_ASSIGN(const CheckReport check,
                       RunServerCheck(options, control));
  EXPECT_EQ(check.Blocking({}).size(), 1u);
}

// What was done to the old one is not done to the new one.
TEST_F(ServerTest, GivesPropertiesToOneThatWasMadeAnewByHand) {
  ASSERT_OK(OutcomeOf(*Move(MoveOptions())));
  ASSERT_OK(target_->Exec("DROP DATABASE shop"));
  ASSERT_OK(
      target_->Exec("CREATE DATABASE shop OWNER owner_group TEMPLATE "
                    "template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE "
                    "'C'"));
  ASSERT_OK_AND_ASSIGN(const ServerReport again, Move(MoveOptions()));
  EXPECT_OK(OutcomeOf(again));
  ExpectAllEqual();
}

TEST_F(ServerTest, GoesOnOnlyWithTheTablesAndGlobalsThatItWasBegunWith) {
  ServerMigrateOptions options = MoveOptions();
  options.databases.databases = {"ascii"};
  options.migrate.scope.exclude_tables = {"public.bytes"};
  ASSERT_OK(OutcomeOf(*Move(options)));
  ServerMigrateOptions other = options;
  other.migrate.scope.exclude_tables.clear();
  EXPECT_THAT(Move(other).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --exclude-table "
                       "[\"public.bytes\"], not []"));
  other = options;
  other.globals_plan.passwords = false;
  EXPECT_THAT(Move(other).status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --no-role-passwords [], "
                       "not [\"true\"]"));
  EXPECT_OK(OutcomeOf(*Move(options)));
}

// The target's has the ledger of the whole besides.
TEST_F(ServerTest, MovesADatabasePostgresThatIsUsed) {
  ASSERT_OK(source_->Exec(WriterSchemaSql(300)));
  ServerMigrateOptions options = MoveOptions();
  options.databases.databases = {"postgres", "ascii"};
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_EQ(report.databases.size(), 2u);
  EXPECT_THAT(report.left_out, IsEmpty());
  ExpectDatabasesEqual(source_->ConnInfo(), target_->ConnInfo());
  EXPECT_THAT(target_->QueryValue("SELECT string_agg(name || ' ' || kind, ', ' "
                                  "ORDER BY name) FROM walferry.migration"),
              IsOkAndHolds("move migrate, move (all databases) server"));
}

// Nothing was created in it, and still it is not as initdb has made it.
TEST_F(ServerTest, MovesWhatSomebodyHasMadeOfPostgresAndWarnsOfTemplates) {
  ASSERT_OK(source_->Exec(
      "ALTER DATABASE postgres SET work_mem = '3MB'; REVOKE TEMPORARY ON "
      "DATABASE postgres FROM PUBLIC"));
  ASSERT_OK(source_->Exec("CREATE DATABASE shape IS_TEMPLATE true"));
  ASSERT_OK(source_->Exec("CREATE TABLE for_all (i int)", "template1"));
  ServerMigrateOptions options = MoveOptions();
  options.databases.exclude_databases = {"[!ps]*", "sp*", "shop"};
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(options));
  EXPECT_OK(OutcomeOf(report));
  EXPECT_THAT(report.left_out, ElementsAre("shape (is a template)"));
  ASSERT_EQ(report.databases.size(), 1u);
  EXPECT_THAT(
      target_->QueryValue("SELECT setconfig || ARRAY[(SELECT NOT "
                          "has_database_privilege('app', 'postgres', "
                          "'TEMPORARY'))::text] FROM pg_db_role_setting "
                          "WHERE setdatabase = (SELECT oid FROM pg_database "
                          "WHERE datname = 'postgres') AND setrole = 0"),
      IsOkAndHolds("{work_mem=3MB,true}"));
  Control control;
  options.databases.exclude_databases = {"shop"};
  ASSERT_OK_AND_ASSIGN(const CheckReport check,
                       RunServerCheck(options, control));
  std::vector<std::string> left;
  for (const Finding& finding : check.findings) {
    if (finding.id == "database-left-out") left.push_back(finding.subject);
  }
  EXPECT_THAT(left, ElementsAre("database shape", "database template1"));
}

// How many of walferry's sessions a server has had at once. One that ends is
// still seen for a moment: only those count that are there twice.
class SessionCount {
 public:
  explicit SessionCount(const PgServer& server)
      : server_(server), thread_([this] { Count(); }) {}
  int Stop() {
    stopping_ = true;
    thread_.join();
    return peak_;
  }

 private:
  void Count() {
    std::set<std::string> before;
    while (!stopping_) {
      std::set<std::string> now;
      const auto rows = server_.Query(
          "SELECT pid FROM pg_stat_activity WHERE application_name LIKE "
          "'walferry %' OR application_name = 'pg_dump'");
      if (!rows.ok()) continue;
      for (const SqlRow& row : *rows) now.insert(*row[0]);
      int both = 0;
      for (const std::string& pid : now) both += before.contains(pid) ? 1 : 0;
      peak_ = std::max(peak_, both);
      before = std::move(now);
      absl::SleepFor(absl::Milliseconds(50));
    }
  }

  const PgServer& server_;
  std::atomic<bool> stopping_ = false;
  int peak_ = 0;
  std::thread thread_;
};

TEST_F(ServerTest, NeedsNoMoreConnectionsThanItHasCounted) {
  ASSERT_OK(
      source_->Exec("INSERT INTO notes SELECT md5(i::text), i % 7 FROM "
                    "generate_series(1, 300000) i",
                    "large"));
  ASSERT_OK(
      source_->Exec("INSERT INTO notes SELECT md5(i::text), i % 7 FROM "
                    "generate_series(1, 300000) i",
                    "shop"));
  ServerMigrateOptions options = MoveOptions();
  options.max_parallel = 3;
  options.dump_parallel = 2;
  options.restore_parallel = 1;
  options.migrate.jobs = 3;
  options.compare = CompareBy(VerifyMethod::kChecksum);
  options.verify = VerifyMethod::kChecksum;
  const PeakConnections counted = PeakConnectionsOf({.max_parallel = 3,
                                                     .dump_parallel = 2,
                                                     .restore_parallel = 1,
                                                     .verify_parallel = 2,
                                                     .jobs = 3,
                                                     .index_jobs = 2});
  SessionCount source(*source_);
  SessionCount target(*target_);
  ASSERT_OK_AND_ASSIGN(const ServerReport report, Move(options));
  const int source_peak = source.Stop();
  const int target_peak = target.Stop();
  EXPECT_OK(OutcomeOf(report));
  EXPECT_LE(source_peak, counted.source);
  EXPECT_LE(target_peak, counted.target);
  // At least one database was read with all jobs.
  EXPECT_GE(source_peak, 3 + 2);
}

}  // namespace
}  // namespace walferry
