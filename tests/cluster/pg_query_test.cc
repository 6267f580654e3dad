// PgQuery: statements whose answers are fetched later.

#include "protocol/pg_query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cluster/pg_fixture.h"

namespace walferry {
namespace {

class PgQueryTest : public PgTest {};

// The first waits for what the second lets go: one after the other they would
// never end.
TEST_F(PgQueryTest, RunsOnTwoConnectionsAtTheSameTime) {
  ASSERT_OK_AND_ASSIGN(PgConnection first, Open());
  ASSERT_OK_AND_ASSIGN(PgConnection second, Open());
  ASSERT_OK(second.Exec("SELECT pg_advisory_lock(1)"));
  ASSERT_OK_AND_ASSIGN(PgQuery waits,
                       PgQuery::Start(first, "SELECT pg_advisory_lock(1), 7"));
  ASSERT_OK_AND_ASSIGN(PgQuery releases,
                       PgQuery::Start(second, "SELECT pg_advisory_unlock(1)"));
  ASSERT_OK_AND_ASSIGN(const PgResult answer, waits.Await());
  EXPECT_EQ(answer.Text(0, 1), "7");
  EXPECT_OK(releases.Await());
  EXPECT_OK(first.Exec("SELECT"));
}

TEST_F(PgQueryTest, ReturnsTheServersError) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  ASSERT_OK_AND_ASSIGN(PgQuery query,
                       PgQuery::Start(connection, "SELECT 1 / 0"));
  EXPECT_EQ(query.Await().status().message(),
            "division by zero (SQLSTATE 22012)");
  EXPECT_OK(connection.Exec("SELECT"));
}

TEST_F(PgQueryTest, CancelsAStatementThatNobodyWaitsFor) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Open());
  const std::string pid = absl::StrCat(connection.backend_pid());
  {
    ASSERT_OK_AND_ASSIGN(const PgQuery query,
                         PgQuery::Start(connection, "SELECT pg_sleep(10000)"));
    ASSERT_TRUE(WaitUntil([&] {
      return server_
                 ->QueryValue(
                     "SELECT wait_event FROM pg_stat_activity WHERE "
                     "pid = " +
                     pid)
                 .value_or("") == "PgSleep";
    }));
  }
  EXPECT_TRUE(connection.broken());
  EXPECT_TRUE(WaitUntil([&] {
    return server_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "wait_event = 'PgSleep'")
               .value_or("") == "0";
  }));
}

}  // namespace
}  // namespace walferry
