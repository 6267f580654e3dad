// RunServerMigration online: all databases of a server are followed at once,
// and cut over together.

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "engine/server/servers.h"
#include "protocol/status.h"
#include "tests/cluster/server_online_fixture.h"
#include "tests/cluster/status_of_move.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"

namespace walferry {
namespace {

TEST_F(ServerOnlineTest, MovesAllUnderWritersAndCutsThemOverTogether) {
  auto writers = Write();
  ServerMigrateOptions options = Options();
  options.max_parallel = 1;  // All are followed nevertheless.
  BackgroundMove move(options);
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  ASSERT_OK_AND_ASSIGN(const ServerStatus status, StatusOfMove(*target_));
  EXPECT_EQ(status.phase, "follow");
  ASSERT_EQ(status.databases.size(), std::size(kNames));
  for (const DatabaseStatus& database : status.databases) {
    EXPECT_EQ(database.phase, "follow");
    EXPECT_TRUE(database.running);
  }
  EXPECT_THAT(
      source_->QueryValue(
          "SELECT string_agg(slot_name, ' ' ORDER BY database) = (SELECT "
          "string_agg('walferry_move_' || oid, ' ' ORDER BY datname) "
          "FROM pg_database WHERE datname IN ('crm', 'shop', 'large')) "
          "FROM pg_replication_slots"),
      IsOkAndHolds("t"));
  writers.clear();
  move.control().RequestCutover();
  ASSERT_OK(move.Outcome());
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
  EXPECT_LT(move.report().pause, absl::InfiniteDuration());
  for (const DatabaseReport& database : move.report().databases) {
    EXPECT_LE(database.report.freeze_to_done, move.report().pause);
  }
  EXPECT_FALSE(TotalOf(move.report()).offline);

  // Once more: what is done stays.
  BackgroundMove again(options);
  EXPECT_OK(again.Outcome());
  EXPECT_EQ(TotalOf(again.report()).rows_copied,
            TotalOf(move.report()).rows_copied);
  options.migrate.mode = MigrateMode::kOffline;
  BackgroundMove other(options);
  EXPECT_THAT(other.Outcome(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with --mode online"));
}

TEST_F(ServerOnlineTest, IsCutOverByAnotherProcessAndFreezesAll) {
  auto writers = Write();
  ServerMigrateOptions options = Options();
  options.migrate.freeze = FreezeMode::kReadOnly;
  BackgroundMove move(options);
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  Control control;
  EventRecorder events;
  // One of them alone is not.
  const absl::Status alone =
      RunCutover({.target = target_->ConnInfo("crm"), .name = "move"}, control,
                 events)
          .status();
  EXPECT_THAT(alone,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the cutover was given up: it is cut over together with "
                       "all other databases, by `walferry cutover` with the "
                       "--target of the command that moves them"));
  ASSERT_OK_AND_ASSIGN(
      const Report report,
      RunServerCutover({.target = target_->ConnInfo(), .name = "move"}, control,
                       events));
  EXPECT_OK(move.Outcome());
  EXPECT_EQ(report.rows_copied, TotalOf(move.report()).rows_copied);
  EXPECT_NEAR(absl::ToDoubleSeconds(report.freeze_to_done),
              absl::ToDoubleSeconds(move.report().pause), 1e-6);
  EXPECT_NEAR(absl::ToDoubleSeconds(report.elapsed),
              absl::ToDoubleSeconds(move.report().elapsed), 1e-6);
  // A run that finds all done leaves what was stored.
  BackgroundMove again(options);
  EXPECT_OK(again.Outcome());
  ASSERT_OK_AND_ASSIGN(
      const Report stored,
      RunServerCutover({.target = target_->ConnInfo(), .name = "move"}, control,
                       events));
  EXPECT_EQ(stored.freeze_to_done, report.freeze_to_done);
  EXPECT_EQ(stored.elapsed, report.elapsed);
  writers.clear();
  for (const char* name : kNames) {
    EXPECT_THAT(source_->QueryValue("SHOW default_transaction_read_only", name),
                IsOkAndHolds("on"));
  }
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
}

// Those that are still already are taken back for the sake of the one that is
// not.
TEST_F(ServerOnlineTest, GoesOnWithAllIfOneCannotBecomeStill) {
  Start({.settings = {{"max_prepared_transactions", "2"}}});
  if (HasFatalFailure()) return;
  ServerMigrateOptions options = Options();
  options.migrate.freeze = FreezeMode::kReadOnly;
  options.migrate.cutover_timeout = absl::Seconds(5);
  BackgroundMove move(options);
  ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
  ASSERT_OK(source_->Exec(
      "BEGIN; UPDATE accounts SET balance = balance + 1 WHERE id = 1; PREPARE "
      "TRANSACTION 'open'",
      "shop"));
  Control control;
  EventRecorder events;
  EXPECT_THAT(
      RunServerCutover({.target = target_->ConnInfo(), .name = "move"}, control,
                       events)
          .status(),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the cutover was given up: database shop: the source is still "
               "being written"));
  for (const char* name : kNames) {
    EXPECT_OK(source_->Exec(
        "UPDATE accounts SET balance = balance + 2 WHERE id = 2", name));
  }
  std::vector<std::string> told;
  for (const Notice& notice : move.events().All<Notice>("")) {
    if (notice.level == Notice::Level::kWarning) told.push_back(notice.text);
  }
  EXPECT_THAT(told, ::testing::Contains(
                        "cutover given up, all databases are followed on: "
                        "database shop: the source is still being written; "
                        "stop the writers and ask again"));
  EXPECT_FALSE(move.ended());
  ASSERT_OK(source_->Exec("COMMIT PREPARED 'open'", "shop"));
  ASSERT_TRUE(move.ComesTo(Phase::kFollow, 2));
  move.control().RequestCutover();
  ASSERT_OK(move.Outcome());
  ExpectAllEqual();
  ExpectNothingLeftOnSource();
}

TEST_F(ServerOnlineTest, OneThatFailsKeepsTheOthersFromBeingCutOver) {
  ASSERT_OK(source_->Exec(
      absl::StrCat(
          "CREATE FUNCTION picky(text) RETURNS text IMMUTABLE LANGUAGE "
          "plpgsql AS $$ BEGIN IF current_setting('port') <> '",
          source_->port(),
          "' THEN RAISE 'not here'; END IF; RETURN $1; END $$; CREATE TABLE "
          "words (word text PRIMARY KEY); INSERT INTO words VALUES ('a'); "
          "CREATE INDEX picky ON words (picky(word))"),
      "crm"));
  ServerMigrateOptions options = Options();
  options.migrate.cutover = CutoverMode::kAuto;
  BackgroundMove move(options);
  const absl::Status outcome = move.Outcome();
  EXPECT_THAT(std::string(outcome.message()),
              ::testing::MatchesRegex("0 of 3 databases done\ndatabase crm: "
                                      "(.|\n)*not here(.|\n)*"));
  ASSERT_OK(target_->Exec(
      "CREATE OR REPLACE FUNCTION picky(text) RETURNS text IMMUTABLE LANGUAGE "
      "sql AS 'SELECT $1'",
      "crm"));
  BackgroundMove again(options);
  ASSERT_OK(again.Outcome());
  for (const char* name : {"shop", "large"}) {
    ExpectDatabasesEqual(source_->ConnInfo(name), target_->ConnInfo(name));
  }
  ExpectNothingLeftOnSource();
}

TEST_F(ServerOnlineTest, RefusesASourceWithTooFewSlotsAndMakesNothing) {
  Start({.settings = {{"max_replication_slots", "2"}}});
  if (HasFatalFailure()) return;
  BackgroundMove move(Options());
  const absl::Status refused = move.Outcome();
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "source: 3 replication slots are needed, one for each "
                       "database, and 2 are free: max_replication_slots is 2, "
                       "0 are in use [server-slots]"));
  EXPECT_EQ(HintOf(refused),
            "ALTER SYSTEM SET max_replication_slots = 5; and restart the "
            "server, or move fewer databases");
  EXPECT_THAT(target_->QueryValue("SELECT count(*) || ' ' || "
                                  "(to_regnamespace('walferry') IS NULL) FROM "
                                  "pg_database WHERE NOT datistemplate"),
              IsOkAndHolds("1 true"));
  ExpectNothingLeftOnSource();
}

TEST_F(ServerOnlineTest, IsCleanedUpAlsoWhereADatabaseOfTheTargetIsGone) {
  {
    BackgroundMove move(Options());
    ASSERT_TRUE(move.ComesTo(Phase::kFollow)) << move.Stop();
    EXPECT_EQ(move.Stop().code(), absl::StatusCode::kCancelled);
  }
  // As a kill in the midst of a cutover leaves it.
  ASSERT_OK(source_->Exec(
      "ALTER DATABASE shop SET default_transaction_read_only = on"));
  ASSERT_OK(target_->Exec(
      "INSERT INTO walferry.object VALUES ('move (all databases)', 'source', "
      "'freeze', 'shop', '')"));
  ASSERT_TRUE(WaitUntil(
      [&] { return target_->Exec("DROP DATABASE IF EXISTS shop").ok(); }));
  Control control;
  ASSERT_OK_AND_ASSIGN(
      const std::vector<std::string> done,
      RunServerCleanup(
          {.endpoints = Options().migrate.endpoints, .force = true}, control));
  EXPECT_THAT(done, ::testing::Contains(::testing::MatchesRegex(
                        "database shop: source: slot walferry_move_[0-9]+ "
                        "dropped")));
  EXPECT_THAT(done, ::testing::Contains("database shop: source: publication "
                                        "walferry_move dropped"));
  EXPECT_THAT(done,
              ::testing::Contains("database shop: source: setting "
                                  "default_transaction_read_only put back"));
  EXPECT_THAT(source_->QueryValue("SHOW default_transaction_read_only", "shop"),
              IsOkAndHolds("off"));
  ExpectNothingLeftOnSource();
}

}  // namespace
}  // namespace walferry
