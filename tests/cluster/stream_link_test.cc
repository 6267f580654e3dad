// A stream whose source is lost or slow to be applied.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>

#include "engine/migration/migration.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tests/testing/background_run.h"
#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

class StreamLinkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    // A client that is silent for so long is given up.
    ASSERT_OK_AND_ASSIGN(
        source_, PgServer::Start({.settings = {{"wal_sender_timeout", "5s"}}}));
    ASSERT_OK_AND_ASSIGN(target_, PgServer::Start());
    for (PgServer* server : {source_.get(), target_.get()}) {
      ASSERT_OK(server->Exec("CREATE DATABASE app"));
      ASSERT_OK(server->Exec("CREATE TABLE t (id int PRIMARY KEY)", "app"));
    }
    ASSERT_OK(source_->Exec("CREATE PUBLICATION pub FOR TABLE t", "app"));
    ASSERT_OK(source_->Exec(
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
        "app"));
    ASSERT_OK_AND_ASSIGN(
        locker_, PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  }

  FollowOptions Options() const {
    FollowOptions options;
    options.endpoints = {.source = source_->ConnInfo("app"),
                         .target = target_->ConnInfo("app")};
    options.slot = "slot";
    options.publications = {"pub"};
    options.stream.poll_interval = absl::Milliseconds(50);
    return options;
  }

  void LockTarget() { ASSERT_OK(locker_->Exec("BEGIN; LOCK TABLE t")); }
  void UnlockTarget() { ASSERT_OK(locker_->Exec("COMMIT")); }

  bool ABatchWaitsForTheLock() const {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "wait_event_type = 'Lock' AND query LIKE 'INSERT%'")
               .value_or("") == "1";
  }

  std::string Walsender() const {
    return source_
        ->QueryValue("SELECT coalesce(min(pid), 0) FROM pg_stat_replication")
        .value_or("0");
  }

  std::unique_ptr<PgServer> source_;
  std::unique_ptr<PgServer> target_;
  std::optional<PgConnection> locker_;
};

TEST_F(StreamLinkTest, ALostSourceIsNoticedWhileABatchWaitsForALock) {
  BackgroundRun run(Options());
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  LockTarget();
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1)", "app"));
  ASSERT_TRUE(WaitUntil([&] { return ABatchWaitsForTheLock(); }));
  const std::string before = Walsender();
  ASSERT_OK(source_->Exec("SELECT pg_terminate_backend(" + before + ")"));
  // A new attempt, though nobody has let go of the lock.
  ASSERT_TRUE(
      WaitUntil([&] { return Walsender() != "0" && Walsender() != before; }));
  UnlockTarget();
  run.control().RequestCutover();
  ASSERT_OK(run.Result());
  ExpectDatabasesEqual(source_->ConnInfo("app"), target_->ConnInfo("app"));
}

TEST_F(StreamLinkTest, ReadToItsEndItStillAnswersTheSource) {
  LockTarget();
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (1)", "app"));
  FollowOptions options = Options();
  ASSERT_OK_AND_ASSIGN(
      const std::string end,
      source_->QueryValue("SELECT pg_current_wal_insert_lsn()", "app"));
  ASSERT_OK_AND_ASSIGN(options.until_lsn, Lsn::Parse(end));
  // Behind the end: the reader sees it and has nothing left to read.
  ASSERT_OK(source_->Exec("INSERT INTO t VALUES (2)", "app"));
  BackgroundRun run(options);
  ASSERT_TRUE(WaitUntil([&] { return ABatchWaitsForTheLock(); }));
  const std::string walsender = Walsender();
  ASSERT_NE(walsender, "0");
  // Twice the source's patience.
  ASSERT_OK(source_->Exec("SELECT pg_sleep(10)"));
  EXPECT_EQ(Walsender(), walsender);
  UnlockTarget();
  ASSERT_OK_AND_ASSIGN(const Report report, run.Result());
  EXPECT_EQ(report.inserts, 1);
  EXPECT_THAT(run.events().All<Notice>(), ::testing::IsEmpty());
}

TEST_F(StreamLinkTest, AnIdleSourceIsAskedWhetherItIsThere) {
  FollowOptions options = Options();
  options.stream.receive_timeout = absl::Seconds(1);
  BackgroundRun run(options);
  ASSERT_TRUE(run.CatchesUp()) << run.Stop();
  const std::string walsender = Walsender();
  ASSERT_NE(walsender, "0");
  // The time in which it would have been given up five times.
  const size_t beats = run.events().All<Lag>().size();
  ASSERT_TRUE(
      WaitUntil([&] { return run.events().All<Lag>().size() >= beats + 100; }));
  EXPECT_EQ(Walsender(), walsender);
  EXPECT_THAT(run.events().All<Notice>(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace walferry
