// What comes in the midst of a cutover.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "engine/migration.h"
#include "tests/cluster/cutover_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

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

}  // namespace
}  // namespace walferry
