// A faster target, and that it always becomes what it was.

#include "engine/target/fast_target.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/migration/migration.h"
#include "engine/target/durable_server.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/pg_server.h"
#include "tests/testing/server_binaries.h"
#include "tests/testing/sql.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

const LedgerKey kKey = {.migration = "test"};

constexpr char kSettings[] =
    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM "
    "pg_settings WHERE name IN ('fsync', 'synchronous_commit', "
    "'full_page_writes', 'autovacuum', 'checkpoint_completion_target', "
    "'maintenance_work_mem', 'max_wal_size')";

// What ALTER SYSTEM has written.
constexpr char kAutoConf[] =
    "SELECT pg_read_file('postgresql.auto.conf', 0, 100000)";

class FastTargetTest : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(
        server_, PgServer::Start(
                     {.bin_dir = GetParam(),
                      .settings = {{"fsync", "on"},
                                   {"full_page_writes", "on"},
                                   {"synchronous_commit", "on"},
                                   {"checkpoint_completion_target", "0.5"}}}));
    ASSERT_OK(server_->Exec("ALTER SYSTEM SET max_wal_size = '2GB'"));
    ASSERT_OK(server_->Exec("SELECT pg_reload_conf()"));
    ASSERT_OK_AND_ASSIGN(PgConnection target, Open());
    Ledger ledger(target, kKey);
    ASSERT_OK(ledger.Create());
    ASSERT_OK(ledger.Start({.kind = "server", .phase = "copy"}));
    settings_ = Value(kSettings);
    auto_conf_ = Value(kAutoConf);
    EXPECT_EQ(settings_,
              "autovacuum=on checkpoint_completion_target=0.5 "
              "fsync=on full_page_writes=on maintenance_work_mem=65536 "
              "max_wal_size=2048 synchronous_commit=on");
  }

  absl::StatusOr<PgConnection> Open() const {
    return PgConnection::Open({.conninfo = server_->ConnInfo()});
  }

  Endpoints Both() const {
    return {.source = server_->ConnInfo(),
            .target = server_->ConnInfo(),
            .name = kKey.migration};
  }

  std::string Value(const std::string& sql) const {
    return server_->QueryValue(sql).value_or("error");
  }

  absl::StatusOr<std::vector<std::string>> Begin() const {
    absl::StatusOr<PgConnection> target = Open();
    if (!target.ok()) return target.status();
    return BeginFastTarget(*target, kKey, {});
  }

  absl::StatusOr<std::vector<std::string>> End() const {
    return EndFastTarget({.endpoints = Both()});
  }

  void ExpectAsBefore() {
    EXPECT_TRUE(WaitUntil([&] { return Value(kSettings) == settings_; }))
        << Value(kSettings);
    EXPECT_EQ(Value(kAutoConf), auto_conf_);
    EXPECT_EQ(Value("SELECT count(*) FROM walferry.object"), "0");
  }

  std::unique_ptr<PgServer> server_;
  std::string settings_;
  std::string auto_conf_;
};

INSTANTIATE_TEST_SUITE_P(Servers, FastTargetTest,
                         ::testing::ValuesIn(TestServerBinDirs()),
                         [](const auto& test) {
                           return ServerName(test.param);
                         });

TEST_P(FastTargetTest, ChangesSettingsAndPutsThemBack) {
  ASSERT_OK_AND_ASSIGN(PgConnection target, Open());
  Ledger ledger(target, kKey);
  ASSERT_OK(CheckFastTarget(target, ledger));
  EXPECT_THAT(
      Begin(),
      IsOkAndHolds(::testing::ElementsAre(
          "fsync: on -> off", "synchronous_commit: on -> off",
          "full_page_writes: on -> off", "autovacuum: on -> off",
          "checkpoint_completion_target: 0.5 -> 0.9",
          "maintenance_work_mem: 64MB -> 512MB", "max_wal_size: 2GB -> 8GB")));
  EXPECT_EQ(Value(kSettings),
            "autovacuum=off checkpoint_completion_target=0.9 "
            "fsync=off full_page_writes=off maintenance_work_mem=524288 "
            "max_wal_size=8192 synchronous_commit=off");
  // A second run finds it so, and keeps the first one's notes.
  EXPECT_THAT(Begin(), IsOkAndHolds(::testing::IsEmpty()));
  EXPECT_THAT(End(), IsOkAndHolds(::testing::ElementsAre(
                         "autovacuum", "checkpoint_completion_target", "fsync",
                         "full_page_writes", "maintenance_work_mem",
                         "max_wal_size", "synchronous_commit")));
  ExpectAsBefore();
  EXPECT_THAT(End(), IsOkAndHolds(::testing::IsEmpty()));
}

TEST_P(FastTargetTest, LowersNothingAndLeavesTheCommandLineAlone) {
  ASSERT_OK(server_->Exec("ALTER SYSTEM SET max_wal_size = '64GB'"));
  ASSERT_OK(server_->Exec("ALTER SYSTEM SET autovacuum = off"));
  ASSERT_OK(server_->Exec("SELECT pg_reload_conf()"));
  ASSERT_TRUE(WaitUntil([&] { return Value("SHOW autovacuum") == "off"; }));
  settings_ = Value(kSettings);
  auto_conf_ = Value(kAutoConf);
  ASSERT_OK_AND_ASSIGN(const auto changed, Begin());
  EXPECT_THAT(changed, ::testing::Not(::testing::Contains(::testing::AnyOf(
                           ::testing::StartsWith("autovacuum"),
                           ::testing::StartsWith("max_wal_size")))));
  EXPECT_EQ(Value("SHOW max_wal_size"), "64GB");
  ASSERT_OK(End());
  ExpectAsBefore();
}

// Otherwise it would find everything as wanted, note nothing, and leave fsync
// off for ever.
TEST_P(FastTargetTest, IsRefusedWhereAnotherLedgerHasTheNotes) {
  ASSERT_OK_AND_ASSIGN(PgConnection target, Open());
  EXPECT_THAT(UnsafeSettings(target), IsOkAndHolds(""));
  ASSERT_OK(Begin());
  const LedgerKey key = {.migration = "other"};
  Ledger other(target, key);
  const auto refused =
      StatusIs(absl::StatusCode::kFailedPrecondition,
               "target: ALTER SYSTEM has turned fsync off, and this "
               "migration's ledger does not know of it: another run with "
               "--fast-target is at work, or its ledger is lost");
  EXPECT_THAT(CheckFastTarget(target, other), refused);
  ASSERT_OK(other.Start({.kind = "server", .phase = "copy"}));
  EXPECT_THAT(CheckFastTarget(target, other), refused);
  EXPECT_THAT(BeginFastTarget(target, key, {}).status(), refused);
  EXPECT_THAT(UnsafeSettings(target),
              IsOkAndHolds("fsync and full_page_writes are off"));
  Ledger own(target, kKey);
  EXPECT_OK(CheckFastTarget(target, own));
  ASSERT_OK(End());
  EXPECT_OK(CheckFastTarget(target, other));
  ExpectAsBefore();
}

// The other one begins when the first has looked and not yet noted anything.
TEST_P(FastTargetTest, TakesNothingOfAnotherRunForWhatWasBefore) {
  const LedgerKey other = {.schema = "others", .migration = "other"};
  ASSERT_OK_AND_ASSIGN(PgConnection target, Open());
  Ledger ledger(target, other);
  ASSERT_OK(ledger.Create());
  ASSERT_OK(ledger.Start({.kind = "server", .phase = "copy"}));
  ASSERT_OK_AND_ASSIGN(SqlConnection holder,
                       SqlConnection::Open(server_->ConnInfo()));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE walferry.object IN SHARE MODE"));
  std::thread first([&] { EXPECT_OK(Begin()); });
  EXPECT_TRUE(WaitUntil([&] {
    return Value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1";
  }));
  EXPECT_OK(BeginFastTarget(target, other, {}));
  ASSERT_OK(holder.Exec("ROLLBACK"));
  first.join();
  Endpoints others = Both();
  others.ledger_schema = other.schema;
  others.name = other.migration;
  ASSERT_OK(EndFastTarget({.endpoints = others}));
  ASSERT_OK(End());
  ExpectAsBefore();
}

// The child is killed at any moment, five times.
TEST_P(FastTargetTest, IsPutBackAfterItsRunWasKilled) {
  const unsigned seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::minstd_rand dice(seed);
  for (int round = 0; round < 5; ++round) {
    const pid_t child = fork();
    if (child == 0) {
      (void)Begin();
      (void)End();
      _exit(0);
    }
    absl::SleepFor(absl::Milliseconds(static_cast<int>(dice() % 1500)));
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
  }
  ASSERT_OK(Begin());
  ASSERT_OK(End());
  ExpectAsBefore();
}

// Its processes alone: what they had written is still the kernel's.
TEST_P(FastTargetTest, IsPutBackAfterTheServerCrashed) {
  ASSERT_OK(Begin());
  ASSERT_OK(
      server_->Exec("CREATE TABLE t AS SELECT generate_series(1, 100000) "
                    "AS i; CREATE INDEX ON t (i)"));
  ASSERT_OK(server_->Exec("CHECKPOINT"));
  ASSERT_OK(server_->Kill9());
  ASSERT_OK(server_->Restart());
  EXPECT_EQ(Value("SHOW fsync"), "off");
  ASSERT_OK(End());
  ExpectAsBefore();
  ASSERT_OK(server_->Kill9());
  ASSERT_OK(server_->Restart());
  EXPECT_EQ(Value("SELECT count(*) FROM t"), "100000");
}

TEST_P(FastTargetTest, IsPutBackByCleanup) {
  ASSERT_OK(Begin());
  Control control;
  EXPECT_THAT(RunCleanup({.endpoints = Both()}, control),
              IsOkAndHolds(::testing::ElementsAre(
                  "target: setting max_wal_size put back",
                  "target: setting maintenance_work_mem put back",
                  "target: setting checkpoint_completion_target put back",
                  "target: setting autovacuum put back",
                  "target: setting full_page_writes put back",
                  "target: setting synchronous_commit put back",
                  "target: setting fsync put back", "target: files synced",
                  "target: ledger of migration test forgotten")));
  EXPECT_TRUE(WaitUntil([&] { return Value(kSettings) == settings_; }));
  EXPECT_EQ(Value(kAutoConf), auto_conf_);
}

// Until its end such a command marks log as flushed that nobody has synced.
TEST_P(FastTargetTest, WaitsForCommandsThatBeganWithTheOldSettings) {
  ASSERT_OK(Begin());
  std::thread sleeper([&] { (void)server_->Exec("SELECT pg_sleep(600)"); });
  EXPECT_TRUE(WaitUntil([&] {
    return Value(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE "
               "'SELECT pg_sleep%' AND state = 'active'") == "1";
  }));
  std::thread ender([&] { EXPECT_OK(End()); });
  EXPECT_TRUE(WaitUntil([&] {
    return Value(
               "SELECT count(*) FROM pg_stat_activity WHERE "
               "application_name = 'walferry test: settings' AND query LIKE "
               "'SELECT pid%'") == "1";
  }));
  EXPECT_EQ(Value("SHOW fsync"), "on");
  EXPECT_EQ(Value("SELECT count(*) FROM walferry.object WHERE kind = "
                  "'unsynced'"),
            "1");
  EXPECT_OK(server_->Exec(
      "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE query LIKE "
      "'SELECT pg_sleep%'"));
  sleeper.join();
  ender.join();
  ExpectAsBefore();
}

TEST_P(FastTargetTest, SaysWhenTheMachineWasStartedAnewMeanwhile) {
  ASSERT_OK(Begin());
  ASSERT_OK(server_->Exec(
      "UPDATE walferry.object SET detail = 'other' WHERE kind = 'unsynced'"));
  const absl::Status ended = End().status();
  EXPECT_THAT(
      ended,
      StatusIs(absl::StatusCode::kDataLoss,
               "the target's settings are not all as they were before "
               "--fast-target: target: its machine was started anew while "
               "fsync was off: what the server had written may be lost or "
               "damaged, in all of its databases"));
  EXPECT_EQ(Begin().status().code(), absl::StatusCode::kDataLoss);
  // It goes on being said, but nothing runs without fsync any more.
  EXPECT_EQ(Value("SHOW fsync"), "on");
  EXPECT_EQ(Value("SELECT count(*) FROM walferry.object WHERE kind = "
                  "'unsynced'"),
            "1");
}

// It would be a lie: what is written next is not synced.
TEST_P(FastTargetTest, CallsNoServerDurableWhoseFsyncIsOff) {
  ASSERT_OK(Begin());
  ASSERT_OK_AND_ASSIGN(PgConnection target, Open());
  EXPECT_THAT(SyncServer(target),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "target: fsync is still off, so what is written from "
                       "now on would not be durable"));
  ASSERT_OK(End());
  ExpectAsBefore();
}

TEST_P(FastTargetTest, IsRefusedWithoutASuperuser) {
  ASSERT_OK(server_->Exec("CREATE ROLE mover LOGIN CREATEROLE CREATEDB"));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = server_->ConnInfoAs("mover", "")}));
  Ledger ledger(target, kKey);
  const absl::Status refused = CheckFastTarget(target, ledger);
  EXPECT_THAT(refused,
              StatusIs(absl::StatusCode::kPermissionDenied,
                       "target: role mover is not a superuser, which "
                       "--fast-target needs for ALTER SYSTEM and to sync the "
                       "server's files at the end"));
  EXPECT_EQ(HintOf(refused),
            "run without --fast-target, or as a superuser of the target");
}

}  // namespace
}  // namespace walferry
