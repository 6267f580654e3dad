// Steps of the schema beside other sessions, and between servers of other
// versions.

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/cluster/schema_fixture.h"
#include "tests/testing/server_upgrades.h"
#include "tests/testing/sql.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

class SchemaRivalsTest : public SchemaTest {
 protected:
  void SetUp() override {
    SchemaTest::SetUp();
    if (IsSkipped() || HasFatalFailure()) return;
    OnSource("CREATE TABLE a (id int PRIMARY KEY)");
    OnSource("CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a)");
    absl::StatusOr<SqlConnection> rival =
        SqlConnection::Open(target_->ConnInfo("app"));
    ASSERT_OK(rival);
    rival_.emplace(*std::move(rival));
  }

  // A session of ours waits for a lock.
  bool WeWait() {
    return WaitUntil([&] {
      const auto waits = TargetValue(
          "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = "
          "'walferry' AND wait_event_type = 'Lock'");
      return waits.ok() && *waits == "t";
    });
  }

  // The rival works on the step of a's primary key.
  void RivalBeginsStep() {
    ASSERT_OK_AND_ASSIGN(
        const std::string oid,
        source_->QueryValue("SELECT oid FROM pg_constraint WHERE conname = "
                            "'a_pkey'",
                            "app"));
    ASSERT_OK(rival_->Exec("BEGIN"));
    ASSERT_OK(rival_->Exec(
        LedgerSql(LedgerKey()).StepDone(absl::StrCat("CONSTRAINT ", oid))));
  }

  std::optional<SqlConnection> rival_;
};

TEST_F(SchemaRivalsTest, DoNotBreakAStepByADeadlock) {
  SchemaRestoreOptions options = RestoreOptions();
  options.target.settings = {{"deadlock_timeout", "3s"}};
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(options));
  ASSERT_OK(restore.RestorePreData());
  ASSERT_OK(restore.Restore(SchemaStage::kIndexes));
  ASSERT_OK(rival_->Exec("SET deadlock_timeout = '1h'"));
  ASSERT_OK(rival_->Exec("BEGIN; LOCK TABLE a IN ROW EXCLUSIVE MODE"));
  absl::Status status;
  std::thread runner(
      [&] { status = restore.Restore(SchemaStage::kForeignKeys); });
  const bool we_wait = WeWait();
  const absl::Status locked = rival_->Exec("LOCK TABLE b; COMMIT");
  runner.join();
  EXPECT_TRUE(we_wait);
  EXPECT_OK(locked);
  EXPECT_OK(status);
  EXPECT_THAT(target_->Log(), HasSubstr("deadlock detected"));
  ExpectEqualSchemas();
}

TEST_F(SchemaRivalsTest, AreWaitedForAndTheirWorkRepeatedWhenTheyGiveUp) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(restore.RestorePreData());
  RivalBeginsStep();
  absl::Status status;
  std::thread runner([&] { status = restore.Restore(SchemaStage::kIndexes); });
  const bool we_wait = WeWait();
  const absl::Status rolled_back = rival_->Exec("ROLLBACK");
  runner.join();
  EXPECT_TRUE(we_wait);
  EXPECT_OK(rolled_back);
  EXPECT_OK(status);
  EXPECT_OK(restore.Restore(SchemaStage::kForeignKeys));
  ExpectEqualSchemas();
}

TEST_F(SchemaRivalsTest, AreWaitedForAndTheirWorkIsNotRepeated) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(restore.RestorePreData());
  RivalBeginsStep();
  ASSERT_OK(
      rival_->Exec("ALTER TABLE a ADD CONSTRAINT a_pkey PRIMARY KEY "
                   "(id)"));
  absl::Status status;
  std::thread runner([&] { status = restore.Restore(SchemaStage::kIndexes); });
  const bool we_wait = WeWait();
  const absl::Status committed = rival_->Exec("COMMIT");
  runner.join();
  EXPECT_TRUE(we_wait);
  EXPECT_OK(committed);
  EXPECT_OK(status);
  EXPECT_OK(restore.Restore(SchemaStage::kForeignKeys));
  ExpectEqualSchemas();
}

TEST_F(SchemaRivalsTest, LoseTheirServerAndTheNextCallGoesOn) {
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(restore.RestorePreData());
  RivalBeginsStep();
  absl::Status status;
  std::thread runner([&] { status = restore.Restore(SchemaStage::kIndexes); });
  const bool we_wait = WeWait();
  const absl::Status killed = target_->Kill9();
  runner.join();
  EXPECT_TRUE(we_wait);
  ASSERT_OK(killed);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable) << status;
  ASSERT_OK(target_->Restart());
  ASSERT_OK(restore.Restore(SchemaStage::kIndexes));
  ASSERT_OK(restore.Restore(SchemaStage::kForeignKeys));
  ExpectEqualSchemas();
}

class SchemaVersionsTest : public SchemaTest,
                           public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  PgServerOptions SourceOptions() const override {
    return {.bin_dir = GetParam().source};
  }
  PgServerOptions TargetOptions() const override {
    return {.bin_dir = GetParam().target};
  }
  void TearDown() override { TearDownTestSuite(); }
};

TEST_P(SchemaVersionsTest, ArriveAsTheyAre) {
  OnSource("CREATE TYPE mood AS ENUM ('sad', 'ok')");
  OnSource(
      "CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY, m mood,"
      " d int GENERATED ALWAYS AS (id * 2) STORED, PRIMARY KEY (id))"
      " PARTITION BY RANGE (id)");
  OnSource("CREATE TABLE child PARTITION OF parent FOR VALUES FROM (0) TO (9)");
  OnSource("CREATE TABLE referring (id int REFERENCES parent)");
  OnSource("CREATE INDEX ON parent (m)");
  OnSource("COMMENT ON INDEX parent_m_idx IS 'by mood'");
  // Of two tables: from 16 on columns of a single one are printed without it.
  OnSource(
      "CREATE VIEW v AS SELECT parent.id, parent.m, count(*) FROM parent,"
      " referring GROUP BY parent.id");
  OnSource(
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS"
      " 'BEGIN RETURN NEW; END'");
  OnSource(
      "CREATE TRIGGER g AFTER INSERT ON parent FOR EACH ROW EXECUTE"
      " FUNCTION f()");
  OnSource("GRANT SELECT ON parent TO PUBLIC");
  ASSERT_OK_AND_ASSIGN(SchemaRestore restore, Prepare(RestoreOptions()));
  ASSERT_OK(RestoreAll(restore));
  ExpectEqualSchemas();
}

INSTANTIATE_TEST_SUITE_P(Upgrades, SchemaVersionsTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

}  // namespace
}  // namespace walferry
