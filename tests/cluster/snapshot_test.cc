#include "engine/copy/snapshot.h"

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/copy/copy_session.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/copy_pair.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::MatchesRegex;

class SnapshotTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_,
        PgServer::Start({.bin_dir = GetParam(),
                         .settings = {{"max_prepared_transactions", "5"}}}));
    ASSERT_OK_AND_ASSIGN(pair_, CopyPair::Create(*server_));
    ASSERT_OK(
        pair_->Source("CREATE TABLE t (id int PRIMARY KEY, x text);"
                      "INSERT INTO t VALUES (1, 'one')"));
  }

  absl::StatusOr<std::unique_ptr<SourceSnapshot>> Take(
      const std::string& slot, absl::Duration slot_wait = absl::Minutes(1)) {
    return SourceSnapshot::Take({.endpoints = pair_->endpoints,
                                 .slot = slot,
                                 .slot_wait = slot_wait,
                                 .lock_wait = absl::Milliseconds(300)});
  }

  // The catalog's tables as the snapshot sees them.
  std::vector<CatalogTable> Tables(SourceSnapshot& snapshot) {
    const absl::StatusOr<Catalog> catalog =
        ReadCatalog(snapshot.connection(), *Scope::Create({}));
    EXPECT_OK(catalog);
    return catalog.ok() ? catalog->tables : std::vector<CatalogTable>();
  }

  absl::StatusOr<SqlConnection> OtherSession() {
    return SqlConnection::Open(pair_->source_conninfo());
  }

  std::string Slots() {
    return *pair_->source().QueryValue(
        "SELECT coalesce(string_agg(slot_name, ','), '') FROM "
        "pg_replication_slots");
  }

  std::unique_ptr<PgServer> server_;
  std::unique_ptr<CopyPair> pair_;
};

INSTANTIATE_TEST_SUITE_P(Servers, SnapshotTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(SnapshotTest, SeesWhatWasCommittedBeforeItsPositionAndNothingElse) {
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take("s"));
  ASSERT_OK(pair_->Source("INSERT INTO t VALUES (2, 'two')"));
  ASSERT_OK_AND_ASSIGN(PgConnection reader,
                       OpenCopySource({.endpoints = pair_->endpoints}));
  ASSERT_OK(snapshot->Import(reader));
  EXPECT_THAT(reader.QueryValue("SELECT string_agg(x, ',') FROM public.t"),
              IsOkAndHolds("one"));
  EXPECT_THAT(reader.QueryValue("SHOW transaction_read_only"),
              IsOkAndHolds("on"));
  EXPECT_THAT(reader.QueryValue("SELECT pg_current_snapshot()"),
              IsOkAndHolds(snapshot->text()));
  EXPECT_THAT(pair_->source().QueryValue(absl::StrCat(
                  "SELECT confirmed_flush_lsn = '",
                  snapshot->consistent_point().ToString(),
                  "' FROM pg_replication_slots WHERE slot_name = 's' AND NOT "
                  "temporary")),
              IsOkAndHolds("t"));
  EXPECT_EQ(snapshot->encoding(), "UTF8");
}

TEST_P(SnapshotTest, NeedsNoSlotOfItsOwnOnceItIsTaken) {
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take(""));
  EXPECT_EQ(Slots(), "");
  ASSERT_OK(pair_->Source("DELETE FROM t"));
  ASSERT_OK(pair_->Source("VACUUM t"));
  EXPECT_THAT(snapshot->connection().QueryValue("SELECT x FROM public.t"),
              IsOkAndHolds("one"));
}

TEST_P(SnapshotTest, ItsTextIsASnapshotEvenWhenTheLastTransactionsRolledBack) {
  ASSERT_OK_AND_ASSIGN(auto first, Take("s"));
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(
        pair_->Source("BEGIN; INSERT INTO t VALUES (3, 'three'); ROLLBACK"));
  }
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take(""));
  EXPECT_OK(pair_->source().QueryValue(
      absl::StrCat("SELECT '", snapshot->text(), "'::pg_snapshot")));
}

TEST_P(SnapshotTest, ASlotNameThatIsTakenIsRefused) {
  ASSERT_OK(pair_->Source(
      "SELECT pg_create_logical_replication_slot('s', 'pgoutput')"));
  EXPECT_THAT(Take("s"),
              StatusIs(absl::StatusCode::kAlreadyExists,
                       "source: creating slot s: replication slot \"s\" "
                       "already exists (SQLSTATE 42710)"));
}

TEST_P(SnapshotTest, SaysWhichTransactionsASlotHadToWaitFor) {
  ASSERT_OK_AND_ASSIGN(SqlConnection busy, OtherSession());
  ASSERT_OK(busy.Exec("BEGIN; INSERT INTO t VALUES (4, 'four')"));
  const std::string pid = *busy.QueryValue("SELECT pg_backend_pid()");
  ASSERT_OK(pair_->Source(
      "BEGIN; INSERT INTO t VALUES (5, 'five'); PREPARE TRANSACTION 'p 1'"));
  const absl::Status taken = Take("s", absl::Milliseconds(500)).status();
  EXPECT_THAT(taken,
              StatusIs(absl::StatusCode::kDeadlineExceeded,
                       MatchesRegex(absl::StrCat(
                           "source: no slot within 500ms: it waits for every "
                           "transaction that runs when it is created: session ",
                           pid,
                           " of user postgres, running for [0-9:]+, prepared "
                           "transaction 'p 1' of user postgres"))));
  EXPECT_EQ(HintOf(taken),
            "end these transactions, or try again when they have ended");
  EXPECT_TRUE(WaitUntil([&] { return Slots().empty(); }));
  ASSERT_OK(pair_->Source("ROLLBACK PREPARED 'p 1'"));
}

TEST_P(SnapshotTest, KeepsStatementsOutThatChangeATablesForm) {
  ASSERT_OK(pair_->Source("CREATE MATERIALIZED VIEW m AS SELECT 1 AS i"));
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take("s"));
  ASSERT_OK(snapshot->Guard(Tables(*snapshot)));
  ASSERT_OK_AND_ASSIGN(SqlConnection other, OtherSession());
  ASSERT_OK(other.Exec("SET lock_timeout = '50ms'"));
  for (const char* const statement :
       {"TRUNCATE t", "VACUUM FULL t", "CLUSTER t USING t_pkey",
        "ALTER TABLE t ADD COLUMN y int", "DROP TABLE t",
        "ALTER TABLE t RENAME TO u"}) {
    EXPECT_THAT(other.Exec(statement),
                StatusIs(absl::StatusCode::kUnknown,
                         absl::StrCat("55P03: canceling statement due to lock "
                                      "timeout: ",
                                      statement)));
  }
  EXPECT_OK(other.Exec("INSERT INTO t VALUES (6, 'six'); DELETE FROM t"));
  EXPECT_OK(snapshot->Check());
  snapshot.reset();
  EXPECT_TRUE(WaitUntil([&] { return other.Exec("TRUNCATE t").ok(); }));
}

struct Meanwhile {
  std::string name;
  std::string statement;
  std::string error;
};

TEST_P(SnapshotTest, NoticesThatATableChangedBeforeItWasLocked) {
  const std::string altered =
      "source: table public.t was altered or rewritten while the snapshot was "
      "taken";
  for (const Meanwhile& meanwhile : std::vector<Meanwhile>{
           {"truncated", "TRUNCATE t", altered},
           {"rewritten", "VACUUM FULL t", altered},
           {"widened", "ALTER TABLE t ADD COLUMN y int", altered},
           {"retyped", "ALTER TABLE t ALTER x TYPE varchar(9)", altered},
           {"identity", "ALTER TABLE t REPLICA IDENTITY FULL", altered},
           {"renamed", "ALTER TABLE t RENAME TO u",
            "source: a table was dropped or renamed while the snapshot was "
            "taken: relation \"public.t\" does not exist (SQLSTATE 42P01)"}}) {
    SCOPED_TRACE(meanwhile.name);
    ASSERT_OK_AND_ASSIGN(auto snapshot, Take(""));
    const std::vector<CatalogTable> tables = Tables(*snapshot);
    ASSERT_OK(pair_->Source(meanwhile.statement));
    EXPECT_THAT(snapshot->Guard(tables),
                StatusIs(absl::StatusCode::kAborted, meanwhile.error));
  }
}

TEST_P(SnapshotTest, NoticesThatATablesNameIsAnothersNow) {
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take(""));
  const std::vector<CatalogTable> tables = Tables(*snapshot);
  ASSERT_OK(
      pair_->Source("ALTER TABLE t RENAME TO old; CREATE TABLE t (LIKE old)"));
  EXPECT_THAT(snapshot->Guard(tables),
              StatusIs(absl::StatusCode::kAborted,
                       "source: table public.t was altered or rewritten while "
                       "the snapshot was taken"));
}

TEST_P(SnapshotTest, SaysWhoKeepsATableLocked) {
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take("s"));
  const std::vector<CatalogTable> tables = Tables(*snapshot);
  ASSERT_OK_AND_ASSIGN(SqlConnection other, OtherSession());
  ASSERT_OK(other.Exec("BEGIN; LOCK TABLE t"));
  const std::string pid = *other.QueryValue("SELECT pg_backend_pid()");
  const absl::Status guarded = snapshot->Guard(tables);
  EXPECT_THAT(guarded,
              StatusIs(absl::StatusCode::kAborted,
                       absl::StrCat("source: table public.t stays locked by "
                                    "session ",
                                    pid, " (AccessExclusiveLock)")));
  EXPECT_EQ(HintOf(guarded),
            "let that session end, or end it with pg_terminate_backend()");
}

TEST_P(SnapshotTest, KnowsWhenItsGuardIsLost) {
  ASSERT_OK_AND_ASSIGN(auto snapshot, Take("s"));
  ASSERT_OK(snapshot->Guard(Tables(*snapshot)));
  ASSERT_OK(snapshot->Check());
  const int pid = snapshot->connection().backend_pid();
  ASSERT_OK(pair_->Source(
      absl::StrCat("SELECT pg_terminate_backend(", pid, ", 10000)")));
  for (int i = 0; i < 2; ++i) {
    const absl::Status guarded = snapshot->Check();
    EXPECT_EQ(guarded.code(), absl::StatusCode::kUnavailable);
    EXPECT_THAT(std::string(guarded.message()),
                ::testing::StartsWith("source: the session that guards the "
                                      "snapshot was lost: "));
  }
  ASSERT_OK_AND_ASSIGN(PgConnection reader,
                       OpenCopySource({.endpoints = pair_->endpoints}));
  EXPECT_EQ(snapshot->Import(reader).code(), absl::StatusCode::kUnavailable);
}

// Without a walsender to serve, the server does not write of itself what would
// make its log be flushed.
TEST(SnapshotWithoutSlot, FlushesWhatATransactionThatWasRolledBackHasWritten) {
  ASSERT_OK_AND_ASSIGN(
      const std::unique_ptr<PgServer> server,
      PgServer::Start(
          {.settings = {{"wal_level", "minimal"}, {"max_wal_senders", "0"}}}));
  ASSERT_OK(server->Exec(
      "BEGIN; SELECT pg_logical_emit_message(false, 'test', 'x'); ROLLBACK"));
  EXPECT_OK(SourceSnapshot::TakeWithoutSlot(
      {.endpoints = {.source = server->ConnInfo()}}));
}

}  // namespace
}  // namespace walferry
