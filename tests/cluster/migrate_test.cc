// RunMigration: a live database, from check to done.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/cluster/migrate_fixture.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/wait_until.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

TEST_F(MigrateTest, MovesADatabaseThatIsWrittenToAndCutsOverOnRequest) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 3, seed);
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > 50; }));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  const int64_t done = writers.transactions();
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 200; }));
  writers.Stop();
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
  EXPECT_EQ(report.tables, 4);
  EXPECT_EQ(report.sequences_set, 3);
  EXPECT_GT(report.rows_copied, 3000);
  EXPECT_GT(report.transactions_applied, 100);
  EXPECT_LT(report.freeze_to_done, absl::Minutes(1));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_replication_origin"),
              IsOkAndHolds("0"));
  // The same command again says what was done and does nothing.
  ASSERT_OK_AND_ASSIGN(const Report again, Migrate(Options()));
  EXPECT_EQ(again.rows_copied, report.rows_copied);
}

// Binary until the target's column is no longer what it was.
TEST_F(MigrateTest, GoesOnAsTextOverSeveralSessions) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 3, seed);
  MigrateOptions options = Options();
  options.stream.apply_jobs = 3;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  constexpr char kBinary[] =
      "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'walsender' "
      "AND query LIKE '%binary ''true''%'";
  EXPECT_THAT(SourceValue(kBinary), IsOkAndHolds("1"));
  ASSERT_OK(OnTarget("ALTER TABLE accounts ALTER balance TYPE bigint"));
  ASSERT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text.find("going on with a stream of text") == 0;
  }));
  EXPECT_TRUE(run.events().All<Failed>().empty());
  const int64_t done = writers.transactions();
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 200; }));
  writers.Stop();
  EXPECT_THAT(SourceValue(kBinary), IsOkAndHolds("0"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ASSERT_OK(OnTarget("ALTER TABLE accounts ALTER balance TYPE int"));
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateTest, CutsOverByItselfOnlyOnceTheWritersHaveStopped) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 3, seed);
  MigrateOptions options = Options();
  options.cutover = CutoverMode::kAuto;
  BackgroundRun run(options);
  ASSERT_TRUE(run.events().WaitForPhase(Phase::kCutover));
  ASSERT_TRUE(run.events().WaitFor<Lag>([](const Lag& lag) {
    return lag.waiting_for.find("writes on the source to stop") == 0;
  }));
  EXPECT_FALSE(run.ended());
  writers.Stop();
  ASSERT_OK(run.Result());
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateTest, GivesACutoverUpWhenAWriterStaysAndGoesOnFollowing) {
  MigrateOptions options = Options();
  options.cutover_timeout = absl::Seconds(1);
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(auto writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(writer.Exec("BEGIN; INSERT INTO notes VALUES ('open', 1)"));
  run.control().RequestCutover();
  ASSERT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
    return notice.text.find("cutover given up") == 0;
  }));
  EXPECT_FALSE(run.ended());
  ASSERT_OK(writer.Exec("COMMIT"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(MigrateTest, FreezesTheSourceOnRequest) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 3, seed);
  MigrateOptions options = Options();
  options.freeze = FreezeMode::kReadOnly;
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  writers.Stop();
  ExpectEqual();
  EXPECT_THAT(source_->Exec("INSERT INTO notes VALUES ('late', 1)", "app"),
              ::testing::Not(IsOk()));
}

TEST_F(MigrateTest, CarriesWhatTheStreamDoesNot) {
  ASSERT_OK(source_->Exec(
      "CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text);"
      "INSERT INTO cache VALUES (1, 'old');"
      "CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS n FROM notes;"
      "CREATE MATERIALIZED VIEW twice AS SELECT n * 2 AS n FROM totals;",
      "app"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(source_->Exec(
      "UPDATE cache SET v = 'new'; INSERT INTO notes VALUES ('more', 1);"
      "SELECT nextval('tickets')",
      "app"));
  run.control().RequestCutover();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.materialized_views_refreshed, 2);
  EXPECT_THAT(target_->QueryValue("SELECT v FROM cache", "app"),
              IsOkAndHolds("new"));
  EXPECT_THAT(target_->QueryValue("SELECT n FROM twice", "app"),
              IsOkAndHolds("202"));
  // The source's own are as old as before.
  ASSERT_OK(OnSource(
      "REFRESH MATERIALIZED VIEW totals; REFRESH MATERIALIZED VIEW twice"));
  ExpectEqual();
}

TEST_F(MigrateTest, StopsWhenATableIsCreatedAndGoesOnWithoutIt) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(source_->Exec("CREATE TABLE late (id int PRIMARY KEY)", "app"));
  run.control().RequestCutover();
  const absl::Status status = run.Result().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(::testing::HasSubstr("the schema changed"),
                               ::testing::HasSubstr("public.late")));
  EXPECT_THAT(HintOf(status), ::testing::HasSubstr("--exclude-table"));
  MigrateOptions options = Options();
  options.scope.exclude_tables = {"late"};
  options.cutover = CutoverMode::kAuto;
  ASSERT_OK(Migrate(options));
  ExpectEqual({.excluded_relations = {"public.late"}});
}

TEST_F(MigrateTest, StopsAtTheFirstChangeOfATableThatChangedShape) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(source_->Exec(
      "ALTER TABLE notes ADD added int; INSERT INTO notes VALUES ('x', 1, 2)",
      "app"));
  const absl::Status status = run.Result().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              ::testing::AllOf(::testing::HasSubstr("public.notes"),
                               ::testing::HasSubstr("added")));
  EXPECT_THAT(
      target_->QueryValue("SELECT count(*) FROM notes WHERE body = 'x'", "app"),
      IsOkAndHolds("0"));
}

TEST_F(MigrateTest, CreatesNothingWhenACheckBlocks) {
  ASSERT_OK(source_->Exec("CREATE TABLE keyless (v int)", "app"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr("[replica-identity]")));
  EXPECT_EQ(LeftOnSource(), "0");
  EXPECT_THAT(
      target_->QueryValue("SELECT count(*) FROM pg_namespace WHERE nspname = "
                          "'walferry'",
                          "app"),
      IsOkAndHolds("0"));
  ASSERT_OK(source_->Exec("DROP TABLE keyless", "app"));
  ASSERT_OK(target_->Exec("CREATE TABLE accounts (id int)", "app"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr("public.accounts")));
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateTest, OutlivesCrashesOfBothServersDuringFollow) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 3, seed);
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  for (PgServer* server : {target_.get(), source_.get()}) {
    const int64_t done = writers.transactions();
    ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 200; }));
    ASSERT_OK(server->Kill9());
    ASSERT_OK(server->Restart());
  }
  const int64_t done = writers.transactions();
  ASSERT_TRUE(WaitUntil([&] { return writers.transactions() > done + 200; }));
  writers.Stop();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateTest, IsStoppedAndGoesOnWhereItWas) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  Writers writers(source_->ConnInfo("app"), 2, seed);
  for (const Phase phase : {Phase::kSchema, Phase::kCopy, Phase::kIndexes,
                            Phase::kFollow, Phase::kFollow}) {
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitForPhase(phase)) << PhaseName(phase);
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  }
  writers.Stop();
  MigrateOptions options = Options();
  options.cutover = CutoverMode::kAuto;
  ASSERT_OK(Migrate(options));
  ExpectEqual();
  EXPECT_EQ(LeftOnSource(), "0");
}

TEST_F(MigrateTest, IsShownByStatusAndCutOverFromAnotherSession) {
  const StatusOptions asked{.target = target_->ConnInfo("app"), .name = "test"};
  Control control;
  EXPECT_THAT(RunStatus(asked, control),
              StatusIs(absl::StatusCode::kNotFound,
                       "target: there is no migration test in ledger schema "
                       "walferry"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK_AND_ASSIGN(const MigrationStatus status, RunStatus(asked, control));
  EXPECT_TRUE(status.running);
  EXPECT_EQ(status.phase, "follow");
  EXPECT_EQ(status.slot, "walferry_test");
  ASSERT_EQ(status.tables.size(), 4u);
  EXPECT_EQ(status.tables[0].state, "copied");
  EXPECT_EQ(status.tables[0].rows, 2000);
  EXPECT_EQ(status.steps_done, status.steps_total);
  EventRecorder told;
  ASSERT_OK_AND_ASSIGN(
      const Report report,
      RunCutover({.target = target_->ConnInfo("app"), .name = "test"}, control,
                 told));
  EXPECT_FALSE(told.All<Lag>().empty());
  ASSERT_OK_AND_ASSIGN(const Report result, run.Result());
  EXPECT_EQ(report.rows_copied, result.rows_copied);
  ASSERT_OK_AND_ASSIGN(const MigrationStatus after, RunStatus(asked, control));
  EXPECT_EQ(after.phase, "done");
  EXPECT_FALSE(after.running);
}

// Replication origins belong to the cluster.
TEST_F(MigrateTest, TwoDatabasesOfOneTargetHaveMigrationsOfOneName) {
  ASSERT_OK(source_->Exec("CREATE DATABASE other"));
  ASSERT_OK(target_->Exec("CREATE DATABASE other"));
  ASSERT_OK(source_->Exec("CREATE TABLE t (id int PRIMARY KEY)", "other"));
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfo("other");
  options.endpoints.target = target_->ConnInfo("other");
  options.slot = "other";
  options.cutover = CutoverMode::kAuto;
  EXPECT_OK(Migrate(options));
  run.control().RequestCutover();
  EXPECT_OK(run.Result());
  ExpectEqual();
}

TEST_F(MigrateTest, CleanupLeavesOnlyTheUsersTables) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(LeftOnSource(), "2");
  Control control;
  const CleanupOptions options{.endpoints = Options().endpoints};
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> done,
                       RunCleanup(options, control));
  EXPECT_THAT(done, ::testing::UnorderedElementsAre(
                        "source: slot walferry_test dropped",
                        "source: publication walferry_test dropped",
                        ::testing::AllOf(::testing::StartsWith(
                                             "target: origin walferry_test_"),
                                         ::testing::EndsWith(" dropped")),
                        "target: ledger of migration test forgotten"));
  EXPECT_EQ(LeftOnSource(), "0");
  EXPECT_THAT(
      target_->QueryValue("SELECT count(*) FROM pg_namespace WHERE nspname = "
                          "'walferry'",
                          "app"),
      IsOkAndHolds("0"));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM accounts", "app"),
              IsOkAndHolds("2000"));
  ASSERT_OK(RunCleanup(options, control));
}

}  // namespace
}  // namespace walferry
