// The command that moves all databases is killed again and again, with the
// target's settings changed until clients come, tables that come behind them
// and a comparison of all, and loses nothing.

#include <csignal>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/cluster/server_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr int kKills = 5;

constexpr char kSettings[] =
    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM "
    "pg_settings WHERE name IN ('fsync', 'synchronous_commit', "
    "'full_page_writes', 'autovacuum', 'checkpoint_completion_target', "
    "'maintenance_work_mem', 'max_wal_size')";

class ServerKillTest : public ServerTest {
 protected:
  void SetUp() override {
    StartAndLoad({}, {.settings = {{"fsync", "on"},
                                   {"full_page_writes", "on"},
                                   {"synchronous_commit", "on"}}});
    if (HasFatalFailure()) return;
    ASSERT_OK(target_->Exec("ALTER SYSTEM SET max_wal_size = '2GB'"));
    ASSERT_OK(target_->Exec("SELECT pg_reload_conf()"));
    settings_ = Settings();
    absl::StatusOr<TempDir> directory = TempDir::Create();
    ASSERT_OK(directory);
    directory_.emplace(*std::move(directory));
  }

  std::string Settings() const {
    return target_->QueryValue(kSettings).value_or("error");
  }

  bool IsFast() const {
    return target_->QueryValue("SHOW fsync").value_or("") == "off";
  }

  std::string Log(const std::string& run) const {
    return absl::StrCat(directory_->path(), "/log-", run);
  }

  absl::StatusOr<ChildProcess> Start(
      const std::string& run, const std::vector<std::string>& more = {}) const {
    ChildOptions options = {.command = {WalferryBinary(),
                                        "migrate",
                                        "--all-databases",
                                        "--mode",
                                        "offline",
                                        "--fast-target",
                                        "--name",
                                        "killed",
                                        "--split-size",
                                        "1MiB",
                                        "--jobs",
                                        "2",
                                        "--poll-interval",
                                        "100ms",
                                        "--tablespace-mapping",
                                        absl::StrCat("fast=", target_space_),
                                        "--source",
                                        source_->ConnInfo(),
                                        "--target",
                                        target_->ConnInfo()},
                            .stdout_path = Log(run),
                            .stderr_path = Log(run)};
    options.command.insert(options.command.end(), more.begin(), more.end());
    return ChildProcess::Start(options);
  }

  // In mid-run.
  void KillWhenFast(const std::string& run) const {
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, Start(run));
    ASSERT_TRUE(WaitUntil([&] { return IsFast() || walferry.Poll(); }));
    ASSERT_FALSE(walferry.Poll()) << ReadFile(Log(run));
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
    ASSERT_TRUE(IsFast());
  }

  std::string settings_;
  std::optional<TempDir> directory_;
};

TEST_F(ServerKillTest, FiveKillsLoseNothingAndTheSettingsAreWhatTheyWere) {
  const uint64_t seed = std::random_device{}();
  RecordProperty("seed", absl::StrCat(seed));
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::mt19937_64 random(seed);
  const std::vector<std::string> all = {"--delay-table-data",
                                        "shop.orders,large.accounts",
                                        "--verify", "checksum"};
  for (int kill = 0; kill < kKills; ++kill) {
    const std::string run = absl::StrCat(kill);
    ASSERT_OK_AND_ASSIGN(ChildProcess walferry, Start(run, all));
    const absl::Time until =
        absl::Now() + absl::Milliseconds(static_cast<int64_t>(random() % 6000));
    // The first one comes in the middle, whatever the speed.
    WaitUntil([&] {
      return (kill == 0 ? IsFast() : absl::Now() >= until) || walferry.Poll();
    });
    // It may have been fast enough, but never fails.
    if (const auto ended = walferry.Poll()) {
      ASSERT_NE(kill, 0) << ReadFile(Log(run));
      ASSERT_EQ(*ended, 0) << ReadFile(Log(run));
    }
    walferry.Signal(SIGKILL);
    ASSERT_OK(walferry.Wait(kTestPatience));
    if (kill == 0) {
      EXPECT_TRUE(IsFast());
    }
  }
  ASSERT_OK_AND_ASSIGN(ChildProcess last, Start("last", all));
  ASSERT_THAT(last.Wait(absl::Minutes(5)), IsOkAndHolds(0))
      << ReadFile(Log("last"));
  ExpectAllEqual();
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM walferry.object WHERE "
                                  "kind = 'comparison' AND detail LIKE "
                                  "'% checksum equal %'"),
              IsOkAndHolds("8"));
  EXPECT_EQ(Settings(), settings_);
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM walferry.object WHERE "
                                  "kind IN ('setting', 'unsynced')"),
              IsOkAndHolds("0"));
}

TEST_F(ServerKillTest, CtrlCStopsCleanlyAndPutsTheSettingsBack) {
  ASSERT_OK_AND_ASSIGN(ChildProcess walferry, Start("stopped"));
  ASSERT_TRUE(WaitUntil([&] { return IsFast() || walferry.Poll(); }));
  ASSERT_FALSE(walferry.Poll()) << ReadFile(Log("stopped"));
  walferry.Signal(SIGINT);
  EXPECT_THAT(walferry.Wait(kTestPatience), IsOkAndHolds(75))
      << ReadFile(Log("stopped"));
  EXPECT_EQ(Settings(), settings_);
  ASSERT_OK_AND_ASSIGN(ChildProcess last, Start("last"));
  ASSERT_THAT(last.Wait(absl::Minutes(5)), IsOkAndHolds(0))
      << ReadFile(Log("last"));
  ExpectAllEqual();
}

TEST_F(ServerKillTest, EveryLaterRunPutsTheSettingsBack) {
  for (const bool fails : {true, false}) {
    SCOPED_TRACE(fails);
    KillWhenFast(fails ? "before failing" : "before another");
    if (HasFatalFailure()) return;
    ServerMigrateOptions options = MoveOptions();
    options.migrate.endpoints.name = "killed";
    if (fails) options.migrate.endpoints.source = source_->ConnInfo("missing");
    const absl::StatusOr<ServerReport> report = Move(options);
    EXPECT_EQ(report.ok(), !fails) << report.status();
    if (report.ok()) {
      EXPECT_OK(OutcomeOf(*report));
    }
    EXPECT_TRUE(WaitUntil([&] { return Settings() == settings_; }))
        << Settings();
  }
}

TEST_F(ServerKillTest, CleanupPutsTheSettingsBack) {
  KillWhenFast("cleanup");
  if (HasFatalFailure()) return;
  Endpoints endpoints = MoveOptions().migrate.endpoints;
  endpoints.name = "killed";
  Control control;
  EXPECT_OK(RunServerCleanup({.endpoints = endpoints, .force = true}, control));
  EXPECT_TRUE(WaitUntil([&] { return Settings() == settings_; })) << Settings();
}

}  // namespace
}  // namespace walferry
