// Who may write a stream, what it must be, and what the session is like.

#include "apply/apply_session.h"

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "apply/batch_applier.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class ApplySessionTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(server_, PgServer::Start({.bin_dir = GetParam()}));
    ASSERT_OK(server_->Exec("CREATE SCHEMA \"Led\"\"ger\"; " +
                            StreamTableSql("Led\"ger")));
  }

  ApplySessionOptions Options() {
    return {.target = {.conninfo = server_->ConnInfo()},
            .ledger_schema = "Led\"ger",
            .identity = {.name = "app",
                         .system_identifier = "7",
                         .slot = "walferry_app",
                         .dbname = "shop"},
            .start = Lsn(0x123),
            .lock_wait = absl::ZeroDuration()};
  }
  // Of a role that may use the ledger but is no superuser.
  ApplySessionOptions OptionsOfOrdinaryRole() {
    EXPECT_OK(
        server_->Exec("CREATE ROLE clerk LOGIN; GRANT ALL ON SCHEMA "
                      "\"Led\"\"ger\" TO clerk; GRANT ALL ON ALL TABLES "
                      "IN SCHEMA \"Led\"\"ger\" TO clerk"));
    ApplySessionOptions options = Options();
    options.target.conninfo = server_->ConnInfoAs("clerk", "");
    return options;
  }
  std::string Value(const std::string& sql) {
    const absl::StatusOr<std::string> value = server_->QueryValue(sql);
    return value.ok() ? *value : value.status().ToString();
  }
  std::string StreamRow(absl::string_view columns) {
    return Value(absl::StrCat("SELECT concat_ws('|', ", columns,
                              ") FROM \"Led\"\"ger\".stream"));
  }

  std::unique_ptr<PgServer> server_;
};

INSTANTIATE_TEST_SUITE_P(Servers, ApplySessionTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(ApplySessionTest, CreatesTheStreamAndRaisesItsEpochEachTime) {
  {
    ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(Options()));
    EXPECT_EQ(session->position(), Lsn(0x123));
    EXPECT_EQ(session->epoch(), 1);
    EXPECT_EQ(session->name(), "app");
    EXPECT_EQ(session->ledger_schema(), "Led\"ger");
    EXPECT_TRUE(session->has_origin());
  }
  ASSERT_OK(
      server_->Exec("UPDATE \"Led\"\"ger\".stream SET applied_lsn = "
                    "'0/456'"));
  ApplySessionOptions options = Options();
  options.lock_wait = absl::Seconds(30);
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_EQ(session->position(), Lsn(0x456));
  EXPECT_EQ(session->epoch(), 2);
  EXPECT_EQ(StreamRow("name, system_identifier, slot, dbname, applied_lsn, "
                      "epoch, transactions, commit_time IS NULL"),
            "app|7|walferry_app|shop|0/456|2|0|t");
}

TEST_P(ApplySessionTest, AnotherSourceIsRefused) {
  ASSERT_OK(ApplySession::Open(Options()).status());
  ApplySessionOptions options = Options();
  options.lock_wait = absl::Seconds(30);
  options.identity.system_identifier = "8";
  options.identity.dbname = "shop2";
  EXPECT_THAT(
      ApplySession::Open(options),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the target's stream \"app\" comes from another source: system "
               "identifier \"7\" there, \"8\" here; database \"shop\" there, "
               "\"shop2\" here"));
  options = Options();
  options.lock_wait = absl::Seconds(30);
  options.identity.slot = "other";
  EXPECT_THAT(
      ApplySession::Open(options),
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "the target's stream \"app\" comes from another source: slot "
               "\"walferry_app\" there, \"other\" here"));
  // Another stream beside it is fine.
  options.identity.name = "other";
  ASSERT_OK(ApplySession::Open(options).status());
}

TEST_P(ApplySessionTest, ASecondWriterIsTurnedAway) {
  ASSERT_OK_AND_ASSIGN(const auto first, ApplySession::Open(Options()));
  const absl::Status status = ApplySession::Open(Options()).status();
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kAborted,
               absl::StrCat("another walferry process writes this stream: "
                            "process ",
                            first->connection().backend_pid(),
                            " (\"walferry\" at 127.0.0.1) of the target holds "
                            "its lock")));
  EXPECT_EQ(
      HintOf(status),
      absl::StrCat("stop that process; if it is gone and only its session is "
                   "left, SELECT pg_terminate_backend(",
                   first->connection().backend_pid(),
                   ") on the target ends that"));
  EXPECT_EQ(StreamRow("epoch"), "1");
}

TEST_P(ApplySessionTest, WaitsForTheFirstWriterToEnd) {
  ASSERT_OK_AND_ASSIGN(auto first, ApplySession::Open(Options()));
  const int pid = first->connection().backend_pid();
  absl::Notification waiting;
  std::vector<std::string> told;
  ApplySessionOptions options = Options();
  options.lock_wait = absl::Seconds(60);
  options.on_wait = [&](absl::string_view text) {
    told.emplace_back(text);
    if (!waiting.HasBeenNotified()) waiting.Notify();
  };
  std::thread ender([&] {
    waiting.WaitForNotification();
    first.reset();
  });
  const absl::StatusOr<std::unique_ptr<ApplySession>> second =
      ApplySession::Open(options);
  ender.join();
  ASSERT_OK(second);
  EXPECT_EQ((*second)->epoch(), 2);
  EXPECT_EQ(told.front(),
            absl::StrCat("waiting for the stream's lock, held by process ", pid,
                         " (\"walferry\" at 127.0.0.1) of the target"));
}

TEST_P(ApplySessionTest, AnInterruptEndsTheWait) {
  ASSERT_OK_AND_ASSIGN(const auto first, ApplySession::Open(Options()));
  Interrupt interrupt;
  ApplySessionOptions options = Options();
  options.lock_wait = absl::Hours(1);
  options.target.interrupt = &interrupt;
  options.on_wait = [&](absl::string_view) { interrupt.Raise(); };
  EXPECT_EQ(ApplySession::Open(options).status().code(),
            absl::StatusCode::kCancelled);
}

constexpr char kOrigin[] =
    "SELECT 'walferry_app_' || oid FROM pg_database WHERE datname = "
    "current_database()";

TEST_P(ApplySessionTest, WaitsForTheReplicationOrigin) {
  const std::string origin = Value(kOrigin);
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(server_->ConnInfo()));
  ASSERT_OK(
      other.Exec(absl::StrCat("SELECT pg_replication_origin_create('", origin,
                              "'); SELECT "
                              "pg_replication_origin_session_setup('",
                              origin, "')")));
  ApplySessionOptions options = Options();
  EXPECT_THAT(ApplySession::Open(options),
              StatusIs(absl::StatusCode::kAborted,
                       HasSubstr("is already active for PID ")));
  options.lock_wait = absl::Seconds(60);
  options.on_wait = [&](absl::string_view text) {
    if (text.find(absl::StrCat("replication origin \"", origin, "\"")) !=
        text.npos) {
      EXPECT_OK(other.Exec("SELECT pg_replication_origin_session_reset()"));
    }
  };
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_TRUE(session->has_origin());
}

// Of several sessions of a process that was killed, the one that holds the lock
// may be gone while another still works.
TEST_P(ApplySessionTest, WaitsForASessionThatStillWritesTheStream) {
  ASSERT_OK(ApplySession::Open(Options()).status());
  ASSERT_OK_AND_ASSIGN(SqlConnection other,
                       SqlConnection::Open(server_->ConnInfo()));
  ASSERT_OK(other.Exec(
      "BEGIN; UPDATE \"Led\"\"ger\".stream SET applied_lsn = '0/456'"));
  ASSERT_OK_AND_ASSIGN(const std::string pid,
                       other.QueryValue("SELECT pg_backend_pid()"));
  ApplySessionOptions options = Options();
  EXPECT_THAT(ApplySession::Open(options),
              StatusIs(absl::StatusCode::kAborted,
                       absl::StrCat("another session still writes this stream: "
                                    "process ",
                                    pid, " of the target")));
  options.lock_wait = absl::Seconds(60);
  std::string told;
  options.on_wait = [&](absl::string_view text) {
    absl::StrAppend(&told, text);
    EXPECT_OK(other.Exec("COMMIT"));
  };
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_EQ(told, absl::StrCat("waiting for process ", pid,
                               " of the target, which still writes this "
                               "stream"));
  EXPECT_EQ(session->position(), Lsn(0x456));
}

TEST_P(ApplySessionTest, CommitsCarryTheOrigin) {
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(Options()));
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  ASSERT_OK(applier->Advance(Lsn(0xABC)));
  EXPECT_EQ(Value(absl::StrCat("SELECT remote_lsn FROM "
                               "pg_replication_origin_status WHERE external_id "
                               "= (",
                               kOrigin, ")")),
            "0/ABC");
}

TEST_P(ApplySessionTest, AStolenStreamCannotBeWrittenAnyMore) {
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(Options()));
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  ASSERT_OK(applier->Advance(Lsn(0x200)));
  // What a second process does whose lock is on another server by mistake.
  ASSERT_OK(
      server_->Exec("UPDATE \"Led\"\"ger\".stream SET epoch = epoch + "
                    "1"));
  EXPECT_THAT(applier->Advance(Lsn(0x300)),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "another walferry process has taken over stream "
                       "\"app\""));
  EXPECT_EQ(StreamRow("applied_lsn, epoch"), "0/200|2");
  EXPECT_FALSE(applier->conflict().has_value());
}

TEST_P(ApplySessionTest, SettingsThatValuesDependOnArePinned) {
  ASSERT_OK(server_->Exec(
      "ALTER DATABASE postgres SET datestyle = 'SQL, DMY'; ALTER DATABASE "
      "postgres SET search_path = public; ALTER ROLE postgres SET xmloption = "
      "document; ALTER ROLE postgres SET default_transaction_read_only = on; "
      "ALTER ROLE postgres SET default_transaction_isolation = serializable; "
      "ALTER ROLE postgres SET statement_timeout = '1s'; ALTER ROLE postgres "
      "SET synchronous_commit = off; ALTER ROLE postgres SET "
      "standard_conforming_strings = off; ALTER ROLE postgres SET "
      "array_nulls = off"));
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(Options()));
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"search_path", ""},
      {"DateStyle", "ISO, MDY"},
      {"IntervalStyle", "postgres"},
      {"extra_float_digits", "3"},
      {"lc_monetary", "C"},
      {"xmloption", "content"},
      {"array_nulls", "on"},
      {"standard_conforming_strings", "on"},
      {"row_security", "off"},
      {"client_min_messages", "warning"},
      {"transaction_isolation", "read committed"},
      {"transaction_read_only", "off"},
      {"synchronous_commit", "on"},
      {"statement_timeout", "0"},
      {"lock_timeout", "0"},
      {"idle_in_transaction_session_timeout", "0"},
      {"idle_session_timeout", "0"},
      {"session_replication_role", "replica"}};
  for (const auto& [name, value] : expected) {
    EXPECT_THAT(session->connection().QueryValue("SHOW " + name),
                IsOkAndHolds(value))
        << name;
  }
  if (server_->major_version() >= 17) {
    EXPECT_THAT(session->connection().QueryValue("SHOW transaction_timeout"),
                IsOkAndHolds("0"));
  }
}

TEST_P(ApplySessionTest, TheCallerMayChooseALockTimeout) {
  ApplySessionOptions options = Options();
  options.target.settings = {{"lock_timeout", "5s"}, {"DateStyle", "SQL, DMY"}};
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_THAT(session->connection().QueryValue("SHOW lock_timeout"),
              IsOkAndHolds("5s"));
  EXPECT_THAT(session->connection().QueryValue("SHOW DateStyle"),
              IsOkAndHolds("ISO, MDY"));
}

TEST_P(ApplySessionTest, PermissionDeniedForReplicaRoleFailsAtOnce) {
  const ApplySessionOptions options = OptionsOfOrdinaryRole();
  const absl::Status status = ApplySession::Open(options).status();
  EXPECT_THAT(
      status,
      StatusIs(absl::StatusCode::kPermissionDenied,
               "cannot keep the target's triggers and foreign keys from acting "
               "on applied changes: permission denied to set parameter "
               "\"session_replication_role\" (SQLSTATE 42501)"));
  EXPECT_EQ(HintOf(status),
            "connect as a superuser, or from PostgreSQL 15 on GRANT SET ON "
            "PARAMETER session_replication_role TO \"clerk\"");
  EXPECT_EQ(StreamRow("count(*)"), "0");
  if (server_->major_version() < 15) return;
  ASSERT_OK(
      server_->Exec("GRANT SET ON PARAMETER session_replication_role TO "
                    "clerk"));
  ASSERT_OK(ApplySession::Open(options).status());
}

TEST_P(ApplySessionTest, WithoutPermissionForOriginsTheRowSuffices) {
  ApplySessionOptions options = OptionsOfOrdinaryRole();
  options.trigger_guard = TriggerGuard::kNone;
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_FALSE(session->has_origin());
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  ASSERT_OK(applier->Advance(Lsn(0x200)));
  EXPECT_EQ(StreamRow("applied_lsn"), "0/200");
  EXPECT_THAT(session->connection().QueryValue("SHOW session_replication_role"),
              IsOkAndHolds("origin"));
}

TEST_P(ApplySessionTest, AnOriginWithoutItsPositionIsNotTaken) {
  ApplySessionOptions options = OptionsOfOrdinaryRole();
  options.trigger_guard = TriggerGuard::kNone;
  const std::string most =
      "GRANT EXECUTE ON FUNCTION pg_replication_origin_create(text), "
      "pg_replication_origin_oid(text), "
      "pg_replication_origin_session_setup(text) TO clerk";
  ASSERT_OK(server_->Exec(most));
  {
    ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
    EXPECT_FALSE(session->has_origin());
  }
  EXPECT_EQ(Value("SELECT count(*) FROM pg_replication_origin"), "0");
  ASSERT_OK(
      server_->Exec("GRANT EXECUTE ON FUNCTION "
                    "pg_replication_origin_xact_setup(pg_lsn, "
                    "timestamptz) TO clerk"));
  options.lock_wait = absl::Seconds(30);
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  EXPECT_TRUE(session->has_origin());
  ASSERT_OK(MakeBatchApplier(*session)->Advance(Lsn(0x200)));
}

TEST_P(ApplySessionTest, TablesThatHideRowsAreRefused) {
  ApplySessionOptions options = OptionsOfOrdinaryRole();
  options.trigger_guard = TriggerGuard::kNone;
  ASSERT_OK(
      server_->Exec("CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t "
                    "ENABLE ROW LEVEL SECURITY; GRANT ALL ON t TO "
                    "clerk"));
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(options));
  const auto relation = std::make_shared<const SourceRelation>(
      SourceRelation{.id = 1,
                     .name = {"public", "t"},
                     .columns = {{.name = "id", .key = true}}});
  ChangeBatch batch;
  batch.BeginTransaction({.final_lsn = Lsn(0x300), .xid = 7});
  batch.AddTruncate({relation}, false);
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  const absl::Status status = applier->Apply(batch).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       HasSubstr("target relation \"public.t\" hides rows from "
                                 "role \"clerk\" by row-level security")));
  EXPECT_EQ(HintOf(status),
            "ALTER ROLE \"clerk\" BYPASSRLS, or connect as the table's owner");
}

TEST_P(ApplySessionTest, ALostServerIsUnavailable) {
  ASSERT_OK_AND_ASSIGN(const auto session, ApplySession::Open(Options()));
  const std::unique_ptr<Applier> applier = MakeBatchApplier(*session);
  ASSERT_OK(server_->Stop(StopMode::kImmediate));
  EXPECT_EQ(applier->Advance(Lsn(0x300)).code(),
            absl::StatusCode::kUnavailable);
}

}  // namespace
}  // namespace walferry
