// What comes in the midst of a cutover.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <string>
#include <vector>

#include "engine/migration/migration.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_hook.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

TEST_F(CutoverTest, BeginsAnewWhenRowsComeInBeforeItIsDone) {
  BackgroundRun run(Options());
  ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
  ASSERT_OK(OnSource("INSERT INTO notes (book, body) VALUES (1, 'late')"));
  LetCutoverGoOn();
  ASSERT_OK(run.Result());
  EXPECT_THAT(TargetValue("SELECT n FROM slow"), IsOkAndHolds("2"));
  ExpectEqual();
}

TEST_F(CutoverTest, BeginsAnewWhenASequenceIsDrawnFromBeforeItIsDone) {
  BackgroundRun run(Options());
  ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
  ASSERT_OK(OnSource("SELECT nextval('tickets')"));
  LetCutoverGoOn();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, BeginsAnewWhenAnUnloggedTableIsWrittenBeforeItIsDone) {
  BackgroundRun run(Options());
  ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
  ASSERT_OK(OnSource("UPDATE cache SET v = 'new'"));
  LetCutoverGoOn();
  ASSERT_OK(run.Result());
  EXPECT_THAT(TargetValue("SELECT v FROM cache"), IsOkAndHolds("new"));
  ExpectEqual();
}

TEST_F(CutoverTest, GoesOnInFollowWithoutASecondLookAtTheSchema) {
  {
    BackgroundRun run(NarrowOptions());
    ASSERT_NO_FATAL_FAILURE(CutOverUntilTheSlowView(run));
    EXPECT_EQ(run.Stop().code(), absl::StatusCode::kCancelled);
    LetCutoverGoOn();
  }
  EXPECT_THAT(TargetValue("SELECT phase FROM walferry.migration"),
              IsOkAndHolds("cutover"));
  BackgroundRun run(NarrowOptions());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  std::vector<std::string> phases;
  for (const PhaseStarted& started : run.events().All<PhaseStarted>()) {
    phases.emplace_back(PhaseName(started.phase));
  }
  EXPECT_THAT(phases, ::testing::ElementsAre("follow"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectEqual();
}

TEST_F(CutoverTest, StopsWhenATableIsNoLongerPublished) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(OnSource("ALTER PUBLICATION walferry_test DROP TABLE shelf"));
  run.control().RequestCutover();
  const absl::Status status = run.Result().status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "the publication was altered since the migration began: "
                       "source: publication walferry_test does not publish "
                       "public.shelf"));
  EXPECT_EQ(HintOf(status),
            "changes may be lost: run `walferry cleanup --name test`, empty "
            "the target and "
            "begin again");
}

TEST_F(CutoverTest, ByItselfHardlyWritesToASourceThatIsBusy) {
  // It takes transaction IDs too.
  ASSERT_OK(OnSource("ALTER SYSTEM SET autovacuum = off"));
  ASSERT_OK(OnSource("SELECT pg_reload_conf()"));
  MigrateOptions options = Options();
  options.cutover = CutoverMode::kAuto;
  options.stream.poll_interval = absl::Milliseconds(200);
  ASSERT_OK_AND_ASSIGN(auto writer,
                       SqlConnection::Open(source_->ConnInfo("app")));
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
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

class CutoverAfterTwoCopiesTest : public CutoverTest {
 protected:
  // The biggest tables come first. notes waits, and the run is stopped once
  // `last`, the one before it, is copied.
  void StopBeforeNotesAreCopied(const MigrateOptions& options,
                                const std::string& last) {
    ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                         SqlConnection::Open(target_->ConnInfo("app")));
    Control control;
    AtPhase events(Phase::kCopy, [&] {
      EXPECT_OK(holder.Exec("BEGIN; LOCK TABLE notes IN SHARE MODE"));
    });
    auto first = std::async(std::launch::async, [&] {
      return RunMigration(options, control, events).status();
    });
    EXPECT_TRUE(WaitUntil([&] { return Copied(last) == "t"; }));
    control.RequestStop();
    EXPECT_EQ(first.get().code(), absl::StatusCode::kCancelled);
    ASSERT_EQ(Copied("notes"), "f");
  }

  std::string Copied(const std::string& table) const {
    return TargetValue(
               "SELECT copied FROM walferry.table_copy WHERE table_name = '" +
               table + "'")
        .value_or("");
  }
};

// The child of a foreign key is copied by a later run than its parent, and
// refers to rows that the parent got in between.
TEST_F(CutoverAfterTwoCopiesTest,
       BuildsForeignKeysOnceAllTablesAreAsOfOnePosition) {
  ASSERT_OK(
      OnSource("INSERT INTO books SELECT i, repeat('t', 50) FROM "
               "generate_series(2, 20000) i; TRUNCATE shelf"));
  MigrateOptions options = Options();
  options.jobs = 1;
  ASSERT_NO_FATAL_FAILURE(StopBeforeNotesAreCopied(options, "books"));
  ASSERT_OK(
      OnSource("INSERT INTO books VALUES (50000, 'between');"
               "INSERT INTO notes (book, body) VALUES (50000, 'refers')"));
  ASSERT_NO_FATAL_FAILURE(MoveAll(options));
  ExpectEqual();
}

// Rows of an unlogged table are in no stream: what they refer to went on.
TEST_F(CutoverAfterTwoCopiesTest, CopiesUnloggedTablesAnewWithALaterSnapshot) {
  ASSERT_OK(
      OnSource("INSERT INTO books SELECT i, '' FROM generate_series(2, 20000) "
               "i; TRUNCATE shelf;"
               "CREATE UNLOGGED TABLE loans (id int PRIMARY KEY, book int "
               "REFERENCES books);"
               "INSERT INTO loans SELECT i, i FROM generate_series(2, 10000) "
               "i"));
  MigrateOptions options = Options();
  options.jobs = 1;
  ASSERT_NO_FATAL_FAILURE(StopBeforeNotesAreCopied(options, "loans"));
  ASSERT_OK(
      OnSource("DELETE FROM loans WHERE book = 2;"
               "DELETE FROM books WHERE id = 2"));
  ASSERT_NO_FATAL_FAILURE(MoveAll(options));
  ExpectEqual();
}

TEST_F(CutoverTest, LetsTablesOutOfScopeComeAndGo) {
  MigrateOptions options = Options();
  options.scope.exclude_tables = {"public.staging_*"};
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  ASSERT_OK(OnSource("CREATE TABLE staging_42 (id int PRIMARY KEY)"));
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ASSERT_OK(OnSource("DROP TABLE staging_42"));
  ExpectEqual();
}

}  // namespace
}  // namespace walferry
