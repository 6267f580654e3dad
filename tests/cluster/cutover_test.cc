// The cutover of a migration: what comes in the midst of it, and what is left
// when it does not come to its end.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/migration.h"
#include "protocol/status.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// notes has a trigger and a foreign key; the target takes two seconds to fill
// the view slow, so that a test can act in the midst of a cutover.
constexpr char kSchema[] =
    "CREATE TABLE books (id int PRIMARY KEY, title text);"
    "CREATE TABLE notes (id serial PRIMARY KEY, book int REFERENCES books,"
    " body text);"
    "CREATE TABLE log (id int PRIMARY KEY, body text);"
    "CREATE TABLE shelf (id int PRIMARY KEY, body text);"
    "CREATE VIEW titles AS SELECT id, title FROM books;"
    "CREATE FUNCTION log_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "INSERT INTO public.log VALUES (NEW.id, NEW.body); RETURN NULL; END $$;"
    "CREATE TRIGGER log_note AFTER INSERT ON notes FOR EACH ROW EXECUTE "
    "FUNCTION log_note();"
    "CREATE RULE keep AS ON INSERT TO books DO ALSO INSERT INTO shelf VALUES "
    "(NEW.id, 'new');"
    "CREATE UNLOGGED TABLE cache (k int PRIMARY KEY, v text);"
    "CREATE SEQUENCE tickets;"
    "INSERT INTO books VALUES (1, 'one');"
    "INSERT INTO notes (book, body) VALUES (1, 'first');"
    "INSERT INTO cache VALUES (1, 'old');"
    "CREATE FUNCTION pause() RETURNS text LANGUAGE sql AS 'SELECT "
    "pg_sleep(coalesce(current_setting(''test.pause'', true), "
    "''0'')::float)::text';"
    "CREATE MATERIALIZED VIEW slow AS SELECT count(*) AS n, public.pause() "
    "FROM notes";

class CutoverTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(source_, PgServer::Start());
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    ASSERT_OK(source_->Exec("CREATE DATABASE app"));
    // May not set session_replication_role.
    ASSERT_OK(target_->Exec("CREATE ROLE mover LOGIN"));
    ASSERT_OK(target_->Exec("CREATE DATABASE app OWNER mover"));
    ASSERT_OK(target_->Exec("ALTER SCHEMA public OWNER TO mover", "app"));
    OnSource(kSchema);
    ASSERT_OK(target_->Exec("ALTER DATABASE app SET test.pause = '2'"));
  }

  MigrateOptions Options() const {
    MigrateOptions options;
    options.endpoints = {.source = source_->ConnInfo("app"),
                         .target = target_->ConnInfo("app"),
                         .name = "test"};
    options.no_owner = true;
    options.stream.poll_interval = absl::Milliseconds(50);
    options.stream.retry_for = absl::Minutes(1);
    return options;
  }

  // As a role that may not keep triggers and foreign keys quiet.
  MigrateOptions NarrowOptions() const {
    MigrateOptions options = Options();
    options.endpoints.target = target_->ConnInfoAs("mover", "", "app");
    return options;
  }

  void OnSource(const std::string& sql) {
    ASSERT_OK(source_->Exec(sql, "app"));
  }

  absl::StatusOr<std::string> OnTarget(const std::string& sql) {
    return target_->QueryValue(sql, "app");
  }

  // Returns in the midst of the cutover.
  void CutOverUntilTheSlowView(BackgroundRun& run) {
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestCutover();
    ASSERT_TRUE(run.events().WaitFor<Notice>([](const Notice& notice) {
      return notice.text == "refreshing public.slow";
    }));
  }

  void ExpectWritable() {
    EXPECT_OK(source_->Exec("UPDATE books SET title = title || '.'", "app"));
  }

  void ExpectEqual() {
    // The source's view is as old as before.
    ASSERT_OK_AND_ASSIGN(SqlConnection source,
                         SqlConnection::Open(source_->ConnInfo("app")));
    ASSERT_OK(source.Exec("SET default_transaction_read_only = off"));
    ASSERT_OK(source.Exec("REFRESH MATERIALIZED VIEW slow"));
    ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
};

TEST_F(CutoverTest, BeginsAnewWhenRowsComeInBeforeItIsDone) {
  BackgroundRun run(Options());
  CutOverUntilTheSlowView(run);
  OnSource("INSERT INTO notes (book, body) VALUES (1, 'late')");
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT n FROM slow"), IsOkAndHolds("2"));
  ExpectEqual();
}

TEST_F(CutoverTest, BeginsAnewWhenASequenceIsDrawnFromBeforeItIsDone) {
  BackgroundRun run(Options());
  CutOverUntilTheSlowView(run);
  OnSource("SELECT nextval('tickets')");
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, BeginsAnewWhenAnUnloggedTableIsWrittenBeforeItIsDone) {
  BackgroundRun run(Options());
  CutOverUntilTheSlowView(run);
  OnSource("UPDATE cache SET v = 'new'");
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT v FROM cache"), IsOkAndHolds("new"));
  ExpectEqual();
}

TEST_F(CutoverTest, CreatesWhatActsOnRowsOnlyWhenNoChangeCanCome) {
  BackgroundRun run(NarrowOptions());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  OnSource("INSERT INTO books VALUES (2, 'two')");
  CutOverUntilTheSlowView(run);
  OnSource(
      "INSERT INTO books VALUES (3, 'three');"
      "INSERT INTO notes (book, body) VALUES (3, 'late')");
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_constraint WHERE contype = "
                       "'f' AND conrelid = 'notes'::regclass"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_rewrite WHERE rulename = "
                       "'keep'"),
              IsOkAndHolds("1"));
  ExpectEqual();
}

TEST_F(CutoverTest, CreatesWhatAnEarlierRoleHadToLeaveForTheEnd) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("0"));
  OnSource("INSERT INTO notes (book, body) VALUES (1, 'second')");
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_trigger WHERE tgname = "
                       "'log_note'"),
              IsOkAndHolds("1"));
  EXPECT_THAT(OnTarget("SELECT count(*) FROM pg_constraint WHERE contype = "
                       "'f' AND conrelid = 'notes'::regclass"),
              IsOkAndHolds("1"));
  ExpectEqual();
}

TEST_F(CutoverTest, RefusesARoleThatCannotKeepQuietWhatIsThere) {
  {
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  ASSERT_OK(target_->Exec(
      "GRANT ALL ON SCHEMA walferry TO mover; GRANT ALL ON ALL TABLES IN "
      "SCHEMA walferry TO mover; GRANT ALL ON ALL TABLES IN SCHEMA public TO "
      "mover",
      "app"));
  BackgroundRun run(NarrowOptions());
  EXPECT_THAT(run.Result().status(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the target has triggers and foreign keys already, and "
                       "its role may not keep them from acting on applied "
                       "changes any more (session_replication_role)"));
}

TEST_F(CutoverTest, AppliesNothingUnguardedAfterOneThatDidNotEnd) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  // As a process leaves it that is killed while it creates them.
  ASSERT_OK(target_->Exec(
      "SET ROLE mover; CREATE TRIGGER log_note AFTER INSERT ON notes FOR EACH "
      "ROW EXECUTE FUNCTION log_note();",
      "app"));
  ASSERT_OK_AND_ASSIGN(
      const std::string oid,
      source_->QueryValue("SELECT oid FROM pg_trigger WHERE tgname = "
                          "'log_note'",
                          "app"));
  ASSERT_OK(target_->Exec(
      absl::StrCat("INSERT INTO walferry.step VALUES ('test', 'TRIGGER ", oid,
                   "'); UPDATE walferry.migration SET phase = 'cutover'"),
      "app"));
  {
    OnSource("INSERT INTO notes (book, body) VALUES (1, 'too late')");
    BackgroundRun run(NarrowOptions());
    const absl::Status status = run.Result().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("table public."),
                      HasSubstr(" was written on the source after a cutover "
                                "that did not end")));
    EXPECT_THAT(HintOf(status), HasSubstr("session_replication_role"));
    EXPECT_THAT(OnTarget("SELECT count(*) FROM log"), IsOkAndHolds("1"));
  }
  // A role that may keep them quiet goes on.
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, GoesOnInFollowWithoutASecondLookAtTheSchema) {
  {
    BackgroundRun run(NarrowOptions());
    CutOverUntilTheSlowView(run);
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  EXPECT_THAT(OnTarget("SELECT phase FROM walferry.migration"),
              IsOkAndHolds("cutover"));
  BackgroundRun run(NarrowOptions());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  std::vector<std::string> phases;
  for (const PhaseStarted& started : run.events().All<PhaseStarted>()) {
    phases.emplace_back(PhaseName(started.phase));
  }
  EXPECT_THAT(phases, ::testing::ElementsAre("follow"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

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

TEST_F(CutoverTest, StopsWhenATableIsNoLongerPublished) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  OnSource("ALTER PUBLICATION walferry_test DROP TABLE shelf");
  run.control().RequestCutover();
  const absl::Status status = run.Result().status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the publication was altered since the migration began: "
                       "source: publication walferry_test does not publish "
                       "public.shelf"));
  EXPECT_EQ(HintOf(status),
            "changes may be lost: run `walferry cleanup`, empty the target and "
            "begin again");
}

TEST_F(CutoverTest, ByItselfHardlyWritesToASourceThatIsBusy) {
  // It takes transaction IDs too.
  OnSource("ALTER SYSTEM SET autovacuum = off");
  OnSource("SELECT pg_reload_conf()");
  MigrateOptions options = Options();
  options.cutover = CutoverMode::kAuto;
  options.stream.poll_interval = absl::Milliseconds(200);
  ASSERT_OK_AND_ASSIGN(auto writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  BackgroundRun run(options);
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  ASSERT_OK(writer.Exec("BEGIN; UPDATE books SET title = 'busy'"));
  ASSERT_TRUE(run.events().WaitFor<Lag>([](const Lag& lag) {
    return lag.waiting_for ==
           "writes on the source to stop: 1 open transaction";
  }));
  const std::string next_xid =
      "SELECT txid_snapshot_xmax(s) FROM "
      "txid_current_snapshot() s";
  ASSERT_OK_AND_ASSIGN(const std::string before,
                       source_->QueryValue(next_xid, "app"));
  const size_t beats = run.events().All<Lag>().size();
  ASSERT_TRUE(
      WaitUntil([&] { return run.events().All<Lag>().size() >= beats + 10; }));
  EXPECT_THAT(source_->QueryValue(next_xid, "app"), IsOkAndHolds(before));
  ASSERT_OK(writer.Exec("COMMIT"));
  ASSERT_OK(run.Result());
  ExpectEqual();
}

// The child of a foreign key is copied by a later run than its parent, and
// refers to rows that the parent got in between.
TEST_F(CutoverTest, BuildsForeignKeysOnceAllTablesAreAsOfOnePosition) {
  OnSource(
      "INSERT INTO books SELECT i, repeat('t', 50) FROM "
      "generate_series(2, 20000) i; TRUNCATE shelf");
  MigrateOptions options = Options();
  options.jobs = 1;
  {
    BackgroundRun run(options);
    // The biggest table comes first. The copy of notes waits.
    ASSERT_TRUE(run.events().WaitForPhase(Phase::kSchema));
    ASSERT_OK_AND_ASSIGN(auto holder,
                         SqlConnection::Open(target_->ConnInfo("app")));
    ASSERT_TRUE(WaitUntil([&] {
      return holder.Exec("ROLLBACK; BEGIN; LOCK TABLE notes IN SHARE MODE")
          .ok();
    }));
    ASSERT_TRUE(WaitUntil([&] {
      return OnTarget(
                 "SELECT copied FROM walferry.table_copy WHERE table_name "
                 "= 'books'")
                 .value_or("f") == "t";
    }));
    run.control().RequestStop();
    EXPECT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
  }
  ASSERT_THAT(OnTarget("SELECT copied FROM walferry.table_copy WHERE "
                       "table_name = 'notes'"),
              IsOkAndHolds("f"));
  OnSource(
      "INSERT INTO books VALUES (50000, 'between');"
      "INSERT INTO notes (book, body) VALUES (50000, 'refers')");
  BackgroundRun run(options);
  ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

class CutoverRequestTest : public CutoverTest {
 protected:
  void SetUp() override {
    CutoverTest::SetUp();
    BackgroundRun run(Options());
    ASSERT_TRUE(run.events().WaitFor<CaughtUp>()) << run.Result().status();
    run.control().RequestStop();
    ASSERT_EQ(run.Result().status().code(), absl::StatusCode::kCancelled);
    ASSERT_OK_AND_ASSIGN(process_, HoldLock());
  }

  void Ask(absl::Duration wait) {
    ask_ = std::async(std::launch::async, [this, wait] {
      Control control;
      return RunCutover(
          {.target = target_->ConnInfo("app"), .name = "test", .wait = wait},
          control);
    });
    ASSERT_TRUE(WaitUntil([this] { return Requested() == "t"; }));
  }

  // As the process of a migration does.
  absl::StatusOr<std::unique_ptr<SqlConnection>> HoldLock() {
    ASSIGN_OR_RETURN(SqlConnection process,
                     SqlConnection::Open(target_->ConnInfo("app")));
    RETURN_IF_ERROR(process.Exec(
        "SELECT pg_advisory_lock(hashtext('walferry migration walferry'), "
        "hashtext('test'))"));
    return std::make_unique<SqlConnection>(std::move(process));
  }

  std::string Requested() {
    return OnTarget(
               "SELECT cutover_requested_at IS NOT NULL FROM "
               "walferry.migration")
        .value_or("?");
  }

  std::unique_ptr<SqlConnection> process_;
  std::future<absl::StatusOr<Report>> ask_;
};

TEST_F(CutoverRequestTest, IsWithdrawnWhenTheMigrationHasEnded) {
  Ask(absl::Seconds(1));
  process_.reset();
  EXPECT_THAT(ask_.get(),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("the migration has ended without cutting "
                                 "over")));
  EXPECT_EQ(Requested(), "f");
}

TEST_F(CutoverRequestTest, OutlivesAPauseBetweenTwoAttempts) {
  Ask(kTestPatience);
  process_.reset();
  // The next attempt finds the request.
  BackgroundRun run(Options());
  ASSERT_OK(run.Result());
  EXPECT_OK(ask_.get());
}

}  // namespace
}  // namespace walferry
