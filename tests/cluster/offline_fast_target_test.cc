// An offline migration of one database with --fast-target.

#include "engine/target/fast_target.h"
#include "tests/cluster/offline_fixture.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

constexpr char kSettings[] =
    "SELECT string_agg(name || '=' || setting, ' ' ORDER BY name) FROM "
    "pg_settings WHERE name IN ('fsync', 'synchronous_commit', "
    "'full_page_writes', 'autovacuum', 'max_wal_size')";

class OfflineFastTargetTest : public OfflineTest {
 protected:
  void SetUp() override {
    OfflineTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK(target_->Exec("ALTER SYSTEM SET fsync = on"));
    ASSERT_OK(target_->Exec("ALTER SYSTEM SET full_page_writes = on"));
    ASSERT_OK(target_->Exec("SELECT pg_reload_conf()"));
    ASSERT_TRUE(WaitUntil([&] { return Setting("fsync") == "on"; }));
    settings_ = Settings();
  }

  MigrateOptions Fast() const {
    MigrateOptions options = Options();
    options.fast_target = true;
    return options;
  }
  std::string Settings() const {
    return target_->QueryValue(kSettings).value_or("error");
  }
  std::string Setting(const std::string& name) const {
    return target_->QueryValue("SHOW " + name).value_or("error");
  }
  void ExpectSettingsAsBefore() {
    EXPECT_TRUE(WaitUntil([&] { return Settings() == settings_; }))
        << Settings();
    EXPECT_THAT(TargetValue("SELECT count(*) FROM walferry.object"),
                IsOkAndHolds("0"));
  }

  std::string settings_;
};

TEST_F(OfflineFastTargetTest, ChangesSettingsForTheTimeOfTheRun) {
  Control control;
  std::string meanwhile;
  AtPhase events(Phase::kCopy, [&] { meanwhile = Setting("fsync"); });
  ASSERT_OK(RunMigration(Fast(), control, events));
  EXPECT_EQ(meanwhile, "off");
  ExpectSettingsAsBefore();
  ExpectEqual();
}

TEST_F(OfflineFastTargetTest, PutsThemBackWhenItIsStopped) {
  Control control;
  AtPhase events(Phase::kCopy, [&] { control.RequestStop(); });
  EXPECT_TRUE(
      absl::IsCancelled(RunMigration(Fast(), control, events).status()));
  ExpectSettingsAsBefore();
  ASSERT_OK(Migrate(Fast()));
  ExpectSettingsAsBefore();
  ExpectEqual();
}

TEST_F(OfflineFastTargetTest, PutsThemBackBeforeClientsComeAndForGood) {
  MigrateOptions options = Fast();
  options.scope.delay_table_data = {"orders"};
  Control control;
  std::string copying, usable;
  EventHook events([&](const Event& event) {
    const auto* const started = std::get_if<PhaseStarted>(&event);
    if (started != nullptr && started->phase == Phase::kIndexes) {
      copying = Setting("fsync");
    }
    if (!std::holds_alternative<Usable>(event)) return;
    usable = Settings();
    control.RequestStop();
  });
  EXPECT_TRUE(
      absl::IsCancelled(RunMigration(options, control, events).status()));
  EXPECT_EQ(copying, "off");
  EXPECT_EQ(usable, settings_);
  ASSERT_OK(Migrate(options));
  EXPECT_THAT(Notices(), testing::Contains(kNotFastText));
  ExpectSettingsAsBefore();
  ExpectEqual();
}

// As a run that was killed leaves them.
TEST_F(OfflineFastTargetTest, PutsThemBackWhenTheNextRunDoesNotReachTheSource) {
  ASSERT_NO_FATAL_FAILURE(FailInTheCopy("notes", "extra IS NULL"));
  ASSERT_OK_AND_ASSIGN(
      PgConnection target,
      PgConnection::Open({.conninfo = target_->ConnInfo("app")}));
  ASSERT_OK(BeginFastTarget(target, {.migration = "test"}, {}));
  ASSERT_EQ(Setting("fsync"), "off");
  MigrateOptions options = Fast();
  options.endpoints.source = source_->ConnInfo("missing");
  EXPECT_FALSE(Migrate(options).ok());
  ExpectSettingsAsBefore();
}

}  // namespace
}  // namespace walferry
