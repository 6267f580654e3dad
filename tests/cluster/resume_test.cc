// A migration that is run again proves first that it is still the same one.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "protocol/status.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/writers.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class ResumeTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(OnSource(WriterSchemaSql(500)));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = Both();
    options.cutover = CutoverMode::kAuto;
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  absl::Status Migrate(const MigrateOptions& options) {
    Control control;
    EventRecorder events;
    return RunMigration(options, control, events).status();
  }

  absl::Status MigrateAndDo(Phase at, std::function<void()> act) {
    Control control;
    AtPhase events(at, std::move(act));
    return RunMigration(Options(), control, events).status();
  }

  // A first run that ends as soon as it comes to the phase.
  void StopAt(Phase phase) {
    Control control;
    AtPhase events(phase, [&control] { control.RequestStop(); });
    EXPECT_EQ(RunMigration(Options(), control, events).status().code(),
              absl::StatusCode::kCancelled);
  }

  void StopWhileFollowing() {
    MigrateOptions options = Options();
    options.cutover = CutoverMode::kManual;
    BackgroundRun run(options);
    ASSERT_TRUE(run.CatchesUp()) << run.Stop();
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
  }

  // With a change between that the new one never sends.
  void MakeSlotAnew() const {
    EXPECT_OK(OnSource("SELECT pg_drop_replication_slot('walferry_test')"));
    EXPECT_OK(OnSource("INSERT INTO notes VALUES ('unseen', 1)"));
    EXPECT_OK(
        OnSource("SELECT pg_create_logical_replication_slot('walferry_test', "
                 "'pgoutput')"));
  }
};

TEST_F(ResumeTest, StopsAtATableThatWasDroppedAndCreatedAgain) {
  StopWhileFollowing();
  ASSERT_OK(
      OnSource("CREATE TABLE notes_new (LIKE notes INCLUDING ALL);"
               "DROP TABLE notes; ALTER TABLE notes_new RENAME TO notes"));
  const absl::Status status = Migrate(Options());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("table public.notes was dropped and "
                                         "created again")));
  EXPECT_THAT(HintOf(status), HasSubstr("walferry cleanup"));
  EXPECT_EQ(LeftOnSource(), "2");
}

TEST_F(ResumeTest, StopsWhenItsPublicationLeavesATableOut) {
  StopWhileFollowing();
  ASSERT_OK(OnSource("ALTER PUBLICATION walferry_test DROP TABLE notes"));
  const absl::Status status = Migrate(Options());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               HasSubstr("source: publication walferry_test "
                                         "does not publish public.notes")));
  EXPECT_THAT(HintOf(status), HasSubstr("changes may be lost"));
}

TEST_F(ResumeTest, StopsBeforeTheCopyWhenTheSlotWasMadeAnew) {
  StopAt(Phase::kSchema);
  MakeSlotAnew();
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the changes between are lost")));
}

TEST_F(ResumeTest, StopsBeforeTheStreamWhenTheSlotWasMadeAnew) {
  EXPECT_THAT(MigrateAndDo(Phase::kIndexes, [this] { MakeSlotAnew(); }),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the changes between are lost")));
  EXPECT_EQ(LeftOnSource(), "2");
}

TEST_F(ResumeTest, StopsWhenItsSlotIsGone) {
  StopAt(Phase::kSchema);
  ASSERT_OK(OnSource("SELECT pg_drop_replication_slot('walferry_test')"));
  const absl::Status status = Migrate(Options());
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kNotFound,
                               "source: slot walferry_test does not exist"));
  EXPECT_THAT(HintOf(status), HasSubstr("begin again"));
}

TEST_F(ResumeTest, LeavesOutNothingThatItHasBegunWith) {
  StopAt(Phase::kSchema);
  MigrateOptions options = Options();
  options.scope.exclude_tables = {"notes"};
  const absl::Status status = Migrate(options);
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "this migration was begun with what the filters leave "
                       "out now: public.notes"));
  EXPECT_EQ(HintOf(status),
            "go on with the same filters, or run `walferry cleanup --name "
            "test` and begin again");
  ASSERT_OK(Migrate(Options()));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_F(ResumeTest, KeepsWhatItHasWhenALaterRunFindsAnotherSchema) {
  StopAt(Phase::kSchema);
  ASSERT_OK(OnSource("ALTER TABLE notes ADD added int"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("table public.notes changed shape")));
  EXPECT_EQ(LeftOnSource(), "2");
  ASSERT_OK(OnSource("ALTER TABLE notes DROP added"));
  ASSERT_OK(Migrate(Options()));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_F(ResumeTest, UndoesWhatItBeganWhenNothingWasCopied) {
  // The checks have not seen it: UPDATE would fail for its users.
  const absl::Status status = MigrateAndDo(Phase::kPrepare, [this] {
    EXPECT_OK(OnSource("CREATE TABLE late (v int)"));
  });
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "source: publishing public.late would make its UPDATE "
                       "and DELETE fail: no primary key, no replica identity"));
  EXPECT_EQ(LeftOnSource(), "0");
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_namespace WHERE "
                                  "nspname = 'walferry'",
                                  "app"),
              IsOkAndHolds("0"));
}

TEST_F(ResumeTest, ChecksAgainWhileNothingIsRecorded) {
  StopAt(Phase::kPrepare);
  ASSERT_OK(OnSource("CREATE TABLE late (v int)"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("[replica-identity]")));
  ASSERT_OK(OnSource("ALTER TABLE late REPLICA IDENTITY FULL"));
  ASSERT_OK(Migrate(Options()));
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_F(ResumeTest, RefusesAnotherDatabaseOfTheSameServer) {
  StopAt(Phase::kSchema);
  ASSERT_OK(source_->Exec("CREATE DATABASE other TEMPLATE app"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfo("other");
  EXPECT_THAT(Migrate(options),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("source: this is database other of system ")));
  ASSERT_OK(Migrate(Options()));
}

TEST_F(ResumeTest, StopsWhenTheSourceHasGoneBack) {
  StopWhileFollowing();
  ASSERT_OK(target_->Exec("UPDATE walferry.stream SET applied_lsn = 'FFFF/0'",
                          "app"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("but the target holds changes up to FFFF/0: "
                                 "the source has gone back")));
}

// pg_dump has to reach the same server, whatever the environment says, and
// with the secrets that no variable carries.
TEST_F(ResumeTest, DumpsTheServerThatItCopies) {
  ASSERT_EQ(setenv("PGSSLMODE", "verify-full", 1), 0);
  MigrateOptions options = Options();
  for (std::string* conninfo :
       {&options.endpoints.source, &options.endpoints.target}) {
    absl::StrAppend(conninfo, "?sslmode=prefer&sslpassword=unused");
  }
  const absl::Status migrated = Migrate(options);
  unsetenv("PGSSLMODE");
  ASSERT_OK(migrated);
}

TEST_F(ResumeTest, GoesOnAfterAnIndexWasRebuiltOnTheSource) {
  ASSERT_OK(OnSource("CREATE INDEX notes_body ON notes (body)"));
  StopWhileFollowing();
  ASSERT_OK(OnSource("REINDEX INDEX CONCURRENTLY notes_body"));
  // As if it had ended while it built indexes.
  ASSERT_OK(
      target_->Exec("UPDATE walferry.migration SET phase = 'indexes'", "app"));
  ASSERT_OK(Migrate(Options()));
}

TEST_F(ResumeTest, CarriesNamesToAnotherEncoding) {
  ASSERT_OK(source_->Exec(
      "CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1'"));
  ASSERT_OK_AND_ASSIGN(SqlConnection latin, SqlConnection::Open(absl::StrCat(
                                                source_->ConnInfo("latin"),
                                                "?client_encoding=UTF8")));
  ASSERT_OK(
      latin.Exec("CREATE TABLE größen (id int PRIMARY KEY, größe text);"
                 "INSERT INTO größen VALUES (1, 'groß'), (2, 'größer');"
                 "CREATE INDEX größen_größe ON größen (größe);"
                 "CREATE SEQUENCE zähler; SELECT nextval('zähler');"
                 "CREATE MATERIALIZED VIEW übersicht AS SELECT count(*) AS n "
                 "FROM größen"));
  MigrateOptions options = Options();
  options.endpoints.source = source_->ConnInfo("latin");
  ASSERT_OK(Migrate(options));
  for (const auto& [query, value] :
       {std::pair{"SELECT string_agg(größe, ',' ORDER BY id) FROM größen",
                  "groß,größer"},
        std::pair{"SELECT last_value FROM zähler", "1"},
        std::pair{"SELECT n FROM übersicht", "2"},
        std::pair{"SELECT count(*) FROM pg_indexes WHERE indexname = "
                  "'größen_größe'",
                  "1"}}) {
    EXPECT_THAT(target_->QueryValue(query, "app"), IsOkAndHolds(value));
  }
}

TEST_F(ResumeTest, StopsAtWhatIsNoTablesShapeUnlessItIsAccepted) {
  ASSERT_OK(
      OnSource("CREATE VIEW v AS SELECT 1 AS one; CREATE SEQUENCE lone;"
               "CREATE TABLE p (i int PRIMARY KEY) PARTITION BY LIST (i);"
               "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"));
  StopWhileFollowing();
  ASSERT_OK(OnSource(
      "CREATE INDEX notes_new ON notes (body);"
      "CREATE OR REPLACE VIEW v AS SELECT 2 AS one;"
      "ALTER TABLE notes ALTER body SET DEFAULT 'x'; DROP SEQUENCE lone"));
  const absl::Status status = Migrate(Options());
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the schema changed on the source since the migration began: "
               "default of column public.notes.body was created, index "
               "public.notes_new was created, view public.v was altered, "
               "sequence public.lone was dropped"));
  EXPECT_THAT(HintOf(status), HasSubstr("--accept schema-change"));
  MigrateOptions options = Options();
  options.accept = {"schema-change"};
  EXPECT_OK(Migrate(options));
}

TEST_F(ResumeTest, StopsAtRowSecurityAndExtensions) {
  StopWhileFollowing();
  ASSERT_OK(
      OnSource("ALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
               "CREATE EXTENSION citext WITH SCHEMA public"));
  EXPECT_THAT(
      Migrate(Options()),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the schema changed on the source since the migration began: "
               "extension public.citext was created, row security of "
               "public.notes was created"));
}

TEST_F(ResumeTest, StopsTheCutoverWhenAFunctionWasReplaced) {
  ASSERT_OK(
      OnSource("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS "
               "'SELECT 1'"));
  EXPECT_THAT(MigrateAndDo(Phase::kFollow,
                           [this] {
                             EXPECT_OK(
                                 OnSource("CREATE OR REPLACE FUNCTION f() "
                                          "RETURNS int LANGUAGE sql AS "
                                          "'SELECT 2'"));
                           }),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("function public.f() was altered")));
}

TEST_F(ResumeTest, StopsWhenAPartitionWasTakenOut) {
  ASSERT_OK(
      OnSource("CREATE TABLE p (i int PRIMARY KEY) PARTITION BY LIST (i);"
               "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1)"));
  StopWhileFollowing();
  ASSERT_OK(OnSource("ALTER TABLE p DETACH PARTITION p1"));
  EXPECT_THAT(Migrate(Options()),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("table public.p1 changed shape")));
}

TEST_F(ResumeTest, FollowsWhileSomebodyRewritesATable) {
  StopWhileFollowing();
  ASSERT_OK_AND_ASSIGN(SqlConnection rewriter,
                       SqlConnection::Open(source_->ConnInfo("app")));
  ASSERT_OK(
      rewriter.Exec("BEGIN; LOCK TABLE accounts IN ACCESS EXCLUSIVE "
                    "MODE"));
  ASSERT_OK(OnSource("INSERT INTO notes VALUES ('behind a lock', 1)"));
  MigrateOptions options = Options();
  options.cutover = CutoverMode::kManual;
  options.stream.retry_for = absl::Seconds(1);
  BackgroundRun run(options);
  EXPECT_TRUE(run.events().WaitFor<Lag>(
      [](const Lag& lag) { return lag.changes == 1; }));
  ASSERT_OK(rewriter.Exec("COMMIT"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

}  // namespace
}  // namespace walferry
