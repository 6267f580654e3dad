// What the cutover asks of the source.

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/source_position.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

TEST(LastRecordEnd, IsBehindCommitsThatWereAcknowledgedUnflushed) {
  ASSERT_OK_AND_ASSIGN(
      auto server,
      PgServer::Start({.settings = {{"synchronous_commit", "off"},
                                    {"wal_writer_delay", "10s"}}}));
  ASSERT_OK(server->Exec("CREATE TABLE t (i int)"));
  ASSERT_OK_AND_ASSIGN(PgConnection source,
                       PgConnection::Open({.conninfo = server->ConnInfo()}));
  for (int round = 0; round < 20; ++round) {
    ASSERT_OK(server->Exec("INSERT INTO t VALUES (1)"));
    ASSERT_OK_AND_ASSIGN(
        const std::string written,
        server->QueryValue("SELECT pg_current_wal_insert_lsn()"));
    ASSERT_OK_AND_ASSIGN(const Lsn committed, Lsn::Parse(written));
    ASSERT_OK_AND_ASSIGN(const Lsn end, LastRecordEnd(source));
    EXPECT_GE(end, committed);
    ASSERT_OK_AND_ASSIGN(const Lsn sendable, SendableLsn(source));
    EXPECT_GE(sendable, end);
  }
  EXPECT_FALSE(source.in_transaction());
}

TEST(LastRecordEnd, DoesNotWaitForAStandbyThatIsGone) {
  ASSERT_OK_AND_ASSIGN(
      auto server,
      PgServer::Start({.settings = {{"synchronous_standby_names", "gone"}}}));
  ASSERT_OK_AND_ASSIGN(
      PgConnection source,
      PgConnection::Open({.conninfo = server->ConnInfo(),
                          .statement_timeout = absl::Seconds(20)}));
  EXPECT_OK(LastRecordEnd(source));
}

TEST(LastRecordEnd, DoesWithoutTheMessageWhereTheRoleMayNotWriteIt) {
  ASSERT_OK_AND_ASSIGN(auto server, PgServer::Start());
  const bool has_flush = server->major_version() >= 17;
  ASSERT_OK(server->Exec(
      absl::StrCat("CREATE ROLE narrow LOGIN; REVOKE EXECUTE ON FUNCTION "
                   "pg_logical_emit_message(boolean, text, text",
                   has_flush ? ", boolean" : "", ") FROM PUBLIC")));
  ASSERT_OK_AND_ASSIGN(
      PgConnection source,
      PgConnection::Open({.conninfo = server->ConnInfoAs("narrow", "")}));
  ASSERT_OK_AND_ASSIGN(const Lsn end, LastRecordEnd(source));
  EXPECT_TRUE(end.valid());
  EXPECT_FALSE(source.in_transaction());
}

}  // namespace
}  // namespace walferry
