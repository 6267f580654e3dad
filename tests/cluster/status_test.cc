// RunStatus: what another process learns of a run, and when.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "engine/migration/migration.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/background_run.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

class StatusTest : public AppTest {
 protected:
  MigrationStatus Status() {
    Control control;
    absl::StatusOr<MigrationStatus> status = RunStatus(
        {.target = target_->ConnInfo("app"), .name = "test"}, control);
    return status.ok() ? *std::move(status) : MigrationStatus();
  }
};

TEST_F(StatusTest, TellsHowAFollowEnded) {
  for (PgServer* server : {source_.get(), target_.get()}) {
    ASSERT_OK(server->Exec("CREATE TABLE t (id int PRIMARY KEY)", "app"));
  }
  ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t", "app"));
  ASSERT_OK(source_->Exec(
      "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')", "app"));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1), (2)", "app"));
  FollowOptions options{
      .endpoints = Both(), .slot = "slot", .publications = {"pub"}};
  options.until_lsn = Now();
  Control control;
  EventRecorder events;
  ASSERT_OK(RunFollow(options, control, events));
  const MigrationStatus done = Status();
  EXPECT_EQ(done.kind, "follow");
  EXPECT_EQ(done.phase, "done");
  EXPECT_EQ(done.last_error, "");
  ASSERT_TRUE(done.report.has_value());
  EXPECT_EQ(done.report->inserts, 2);
  EXPECT_EQ(done.report->applied_lsn, *options.until_lsn);

  ASSERT_OK(target_->Exec("INSERT INTO t VALUES (3)", "app"));
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (3)", "app"));
  options.until_lsn = Now();
  const absl::Status error = RunFollow(options, control, events).status();
  EXPECT_FALSE(error.ok());
  const MigrationStatus failed = Status();
  EXPECT_EQ(failed.phase, "follow");
  EXPECT_EQ(failed.last_error, error.message());
  EXPECT_FALSE(failed.report.has_value());

  ASSERT_OK(target_->Exec("DELETE FROM t WHERE id = 3", "app"));
  ASSERT_OK(RunFollow(options, control, events));
  EXPECT_EQ(Status().phase, "done");
  EXPECT_EQ(Status().last_error, "");
}

TEST_F(StatusTest, SeesSignsOfLifeWhileRowsAreCopiedAndIndexesAreBuilt) {
  // It waits on the target for whoever holds the lock there.
  ASSERT_OK(source_->Exec(R"(
      CREATE FUNCTION gate(lock int, v int) RETURNS int LANGUAGE plpgsql
        IMMUTABLE AS $$BEGIN
          PERFORM pg_catalog.pg_advisory_xact_lock_shared(lock);
          RETURN v;
        END$$;
      CREATE TABLE t (id int PRIMARY KEY CHECK (public.gate(1, id) > 0));
      INSERT INTO t VALUES (1);
      CREATE INDEX gated ON t (public.gate(2, id)))",
                          "app"));
  ASSERT_OK_AND_ASSIGN(SqlConnection gates,
                       SqlConnection::Open(target_->ConnInfo("app")));
  ASSERT_OK(gates.Exec("SELECT pg_advisory_lock(1), pg_advisory_lock(2)"));
  MigrateOptions options{.endpoints = Both()};
  options.stream.poll_interval = absl::Milliseconds(50);
  BackgroundRun run(options);
  ASSERT_TRUE(run.events().WaitForPhase(Phase::kCopy));
  for (const char* const phase : {"copy", "indexes"}) {
    ASSERT_TRUE(WaitUntil([&] { return Status().phase == phase; })) << phase;
    ASSERT_OK(target_->Exec("UPDATE walferry.migration SET heartbeat_at = NULL",
                            "app"));
    EXPECT_TRUE(WaitUntil([&] { return Status().heartbeat_at.has_value(); }))
        << phase;
    EXPECT_EQ(Status().phase, phase);
    ASSERT_OK(gates.Exec(absl::StrCat("SELECT pg_advisory_unlock(",
                                      phase[0] == 'c' ? 1 : 2, ")")));
  }
  EXPECT_TRUE(run.CatchesUp()) << run.Stop();
}

}  // namespace
}  // namespace walferry
