// RunCapture and RunReplay against live servers.

#include "engine/capture.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "tests/testing/database_equal.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

TEST(CaptureAndReplay, RunsALiveStreamAgain) {
  ASSERT_OK_AND_ASSIGN(const auto server, PgServer::Start());
  for (const char* database : {"source", "target"}) {
    ASSERT_OK(server->Exec(std::string("CREATE DATABASE ") + database));
    ASSERT_OK(
        server->Exec("CREATE TABLE t (id int PRIMARY KEY, v text)", database));
  }
  ASSERT_OK(server->Exec("CREATE PUBLICATION pub FOR TABLE t", "source"));
  ASSERT_OK(server->Exec(
      "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
      "source"));
  ASSERT_OK(server->Exec(
      "INSERT INTO t SELECT i, 'value ' || i FROM generate_series(1, 500) i",
      "source"));
  ASSERT_OK(server->Exec("UPDATE t SET v = 'x' WHERE id <= 10", "source"));
  ASSERT_OK(server->Exec("DELETE FROM t WHERE id > 490", "source"));
  ASSERT_OK_AND_ASSIGN(
      const std::string end,
      server->QueryValue("SELECT pg_current_wal_insert_lsn()", "source"));
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  CaptureOptions options{.source = server->ConnInfo("source"),
                         .publications = {"pub"},
                         .slot = "slot",
                         .output = directory.path() + "/capture"};
  ASSERT_OK_AND_ASSIGN(options.until_lsn, Lsn::Parse(end));
  Control control;
  EventRecorder events;
  ASSERT_OK(RunCapture(options, control, events));
  // The slot has not moved: the same can be recorded again.
  options.output += "2";
  ASSERT_OK(RunCapture(options, control, events));

  ASSERT_OK_AND_ASSIGN(
      const ReplayReport decoded,
      RunReplay({.input = options.output, .repeat = 3}, control));
  EXPECT_EQ(decoded.changes, 3 * (500 + 10 + 10));
  ASSERT_OK_AND_ASSIGN(
      const ReplayReport applied,
      RunReplay({.input = options.output, .target = server->ConnInfo("target")},
                control));
  EXPECT_EQ(applied.changes, 500 + 10 + 10);
  EXPECT_EQ(applied.transactions, 3);
  ExpectDatabasesEqual(server->ConnInfo("source"), server->ConnInfo("target"));
  EXPECT_THAT(server->QueryValue("SELECT count(*) FROM pg_namespace WHERE "
                                 "nspname LIKE 'walferry%'",
                                 "target"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
