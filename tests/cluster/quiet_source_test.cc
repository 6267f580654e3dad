// What the cutover asks of the source: its log's end, and to be read-only.

#include "engine/cutover/quiet_source.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/source_position.h"
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

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

absl::Status Breathe() {
  absl::SleepFor(absl::Milliseconds(5));
  return absl::OkStatus();
}

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

// The source's owner is neither superuser nor allowed to see or end other
// roles' sessions.
class FreezeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start());
    ASSERT_OK(server_->Exec("CREATE ROLE owner LOGIN"));
    ASSERT_OK(server_->Exec("CREATE ROLE writer LOGIN"));
    ASSERT_OK(server_->Exec("CREATE DATABASE app OWNER owner"));
    ASSERT_OK(server_->Exec(
        "CREATE TABLE t (i int); GRANT ALL ON t TO owner, writer", "app"));
    ASSERT_OK_AND_ASSIGN(PgConnection source,
                         PgConnection::Open({.conninfo = As("owner")}));
    source_.emplace(std::move(source));
  }

  std::string As(const std::string& role) const {
    return server_->ConnInfoAs(role, "", "app");
  }

  std::unique_ptr<PgServer> server_;
  std::optional<PgConnection> source_;
};

TEST_F(FreezeTest, EndsSessionsOfOtherRolesToo) {
  ASSERT_OK(server_->Exec("GRANT pg_signal_backend TO owner"));
  ASSERT_OK_AND_ASSIGN(auto writer, SqlConnection::Open(As("writer")));
  ASSERT_OK(writer.Exec("INSERT INTO t VALUES (1)"));
  ASSERT_OK(FreezeDatabase(*source_, Breathe));
  EXPECT_THAT(writer.Exec("INSERT INTO t VALUES (2)"), Not(IsOk()));
  ASSERT_OK_AND_ASSIGN(auto late, SqlConnection::Open(As("writer")));
  EXPECT_THAT(late.Exec("INSERT INTO t VALUES (3)"), Not(IsOk()));
  ASSERT_OK(UnfreezeDatabase(*source_, ""));
  EXPECT_OK(server_->Exec("INSERT INTO t VALUES (4)", "app"));
}

TEST_F(FreezeTest, SaysWhichSessionsItMayNotEnd) {
  ASSERT_OK_AND_ASSIGN(auto writer, SqlConnection::Open(As("writer")));
  ASSERT_OK_AND_ASSIGN(const std::string pid,
                       writer.QueryValue("SELECT pg_backend_pid()"));
  const absl::Status frozen = FreezeDatabase(*source_, Breathe);
  EXPECT_THAT(frozen,
              StatusIs(absl::StatusCode::kPermissionDenied,
                       HasSubstr("source: freeze: cannot end pid " + pid +
                                 " (role writer, application '")));
  EXPECT_THAT(HintOf(frozen), AllOf(HasSubstr("pg_signal_backend TO \"owner\""),
                                    HasSubstr("--freeze none")));
}

TEST_F(FreezeTest, GivesTheOwnersOwnSettingBack) {
  EXPECT_THAT(ReadOnlySetting(*source_), IsOkAndHolds(""));
  ASSERT_OK(server_->Exec("ALTER DATABASE app SET work_mem = '8MB'"));
  ASSERT_OK(server_->Exec(
      "ALTER DATABASE app SET default_transaction_read_only = off"));
  ASSERT_OK_AND_ASSIGN(const std::string earlier, ReadOnlySetting(*source_));
  EXPECT_EQ(earlier, "off");
  ASSERT_OK(FreezeDatabase(*source_, Breathe));
  EXPECT_THAT(ReadOnlySetting(*source_), IsOkAndHolds("on"));
  ASSERT_OK(UnfreezeDatabase(*source_, earlier));
  EXPECT_THAT(ReadOnlySetting(*source_), IsOkAndHolds("off"));
  ASSERT_OK(UnfreezeDatabase(*source_, ""));
  EXPECT_THAT(ReadOnlySetting(*source_), IsOkAndHolds(""));
}

}  // namespace
}  // namespace walferry
