// The commands of a walsender connection that are not the stream itself.

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/replication_stream.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::Ne;
using ::testing::StartsWith;

class WalsenderCommands : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK(server_->Exec("CREATE TABLE t (id int PRIMARY KEY)"));
    ASSERT_OK(server_->Exec("CREATE PUBLICATION p FOR TABLE t"));
  }

  absl::StatusOr<PgConnection> Connect() {
    return PgConnection::Open(
        {.conninfo = server_->ConnInfo(), .replication = true});
  }

  std::unique_ptr<PgServer> server_;
};

TEST_P(WalsenderCommands, IdentifiesTheSystem) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  ASSERT_OK_AND_ASSIGN(const SystemIdentity identity,
                       IdentifySystem(connection));
  EXPECT_EQ(identity.system_identifier,
            server_
                ->QueryValue("SELECT system_identifier FROM "
                             "pg_control_system()")
                .value_or(""));
  EXPECT_EQ(identity.timeline, 1);
  EXPECT_GT(identity.flushed, Lsn(0x100'0000));
  EXPECT_EQ(identity.dbname, "postgres");
}

TEST_P(WalsenderCommands, ASlotsSnapshotShowsWhatCameBefore) {
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (1)"));
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  ASSERT_OK_AND_ASSIGN(const CreatedSlot slot,
                       CreateSlot(connection, {.slot = "copy"}));
  ASSERT_OK(server_->Exec("INSERT INTO t VALUES (2)"));
  ASSERT_OK_AND_ASSIGN(PgConnection reader,
                       PgConnection::Open({.conninfo = server_->ConnInfo()}));
  ASSERT_OK(reader.Exec(absl::StrCat(
      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION "
      "SNAPSHOT '",
      slot.snapshot_name, "'")));
  EXPECT_THAT(reader.QueryValue("SELECT string_agg(id::text, ' ') FROM t"),
              IsOkAndHolds(std::string("1")));
  EXPECT_EQ(server_
                ->QueryValue("SELECT confirmed_flush_lsn FROM "
                             "pg_replication_slots WHERE slot_name = 'copy'")
                .value_or(""),
            slot.consistent_point.ToString());
  // And what comes from the slot is all that the snapshot does not show.
  ASSERT_OK_AND_ASSIGN(PgConnection walsender, Connect());
  ASSERT_OK_AND_ASSIGN(
      auto stream, ReplicationStream::Start(std::move(walsender),
                                            {.slot = "copy",
                                             .publications = {"p"},
                                             .start = slot.consistent_point}));
  std::string inserts;
  while (inserts.empty()) {
    ASSERT_OK_AND_ASSIGN(const auto frame,
                         stream->Next(absl::Now() + kTestPatience));
    ASSERT_TRUE(frame.has_value());
    if ((*frame)[0] == 'w' && (*frame)[25] == 'I') inserts += *frame->rbegin();
  }
  EXPECT_EQ(inserts, "2");
}

TEST_P(WalsenderCommands, RefusesASlotThatIsThere) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  ASSERT_OK(CreateSlot(connection, {.slot = "s"}));
  EXPECT_THAT(CreateSlot(connection, {.slot = "s"}).status(),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       "replication slot \"s\" already exists (SQLSTATE "
                       "42710)"));
  EXPECT_THAT(CreateSlot(connection, {.slot = "Bad"}).status(),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       StartsWith("replication slot name \"Bad\" contains "
                                  "invalid character")));
  EXPECT_THAT(DropSlot(connection, "none"),
              StatusIs(absl::StatusCode::kNotFound,
                       "replication slot \"none\" does not exist (SQLSTATE "
                       "42704)"));
  ASSERT_OK(DropSlot(connection, "s"));
}

TEST_P(WalsenderCommands, ATemporarySlotEndsWithItsConnection) {
  const std::string count =
      "SELECT count(*) FROM pg_replication_slots WHERE temporary";
  {
    ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
    ASSERT_OK_AND_ASSIGN(
        const CreatedSlot slot,
        CreateSlot(connection, {.slot = "brief", .temporary = true}));
    EXPECT_THAT(slot.snapshot_name, Ne(""));
    EXPECT_EQ(server_->QueryValue(count).value_or(""), "1");
  }
  EXPECT_TRUE(WaitUntil(
      [&] { return server_->QueryValue(count).value_or("") == "0"; }));
}

TEST_P(WalsenderCommands, FailoverSlotsNeed17) {
  ASSERT_OK_AND_ASSIGN(PgConnection connection, Connect());
  const absl::Status status =
      CreateSlot(connection, {.slot = "carried", .failover = true}).status();
  if (server_->major_version() < 17) {
    const int version = connection.server_version();
    EXPECT_THAT(status,
                StatusIs(absl::StatusCode::kInvalidArgument,
                         absl::StrCat("a failover slot needs PostgreSQL 17, "
                                      "the server has ",
                                      version / 10000, ".", version % 10000)));
    return;
  }
  ASSERT_OK(status);
  EXPECT_EQ(server_
                ->QueryValue("SELECT failover FROM pg_replication_slots WHERE "
                             "slot_name = 'carried'")
                .value_or(""),
            "t");
}

INSTANTIATE_TEST_SUITE_P(Servers, WalsenderCommands,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

}  // namespace
}  // namespace walferry
