// RunGlobals between servers of every version.

#include <signal.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"
#include "tests/cluster/globals_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/server_upgrades.h"
#include "tests/testing/sql.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

class GlobalsUpgradeTest : public GlobalsTest,
                           public ::testing::WithParamInterface<ServerUpgrade> {
 protected:
  void SetUp() override {
    StartServers({.bin_dir = GetParam().source},
                 {.bin_dir = GetParam().target,
                  .settings = {{"log_statement", "all"},
                               {"log_min_duration_statement", "0"}}});
  }
};

INSTANTIATE_TEST_SUITE_P(Upgrades, GlobalsUpgradeTest,
                         ::testing::ValuesIn(TestServerUpgrades()),
                         [](const auto& test) {
                           return UpgradeName(test.param);
                         });

TEST_P(GlobalsUpgradeTest, BringsRolesAndTablespacesToAnEmptyServer) {
  ASSERT_OK_AND_ASSIGN(const std::string space, MakeDirectory(*target_));
  GlobalsOptions options = Options();
  options.plan.tablespaces = {{.from = source_space_, .to = space}};
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(options));
  EXPECT_EQ(report.roles.size(), 12u);
  EXPECT_THAT(report.tablespaces, ::testing::ElementsAre("fast"));
  EXPECT_THAT(report.roles_without_password, ::testing::IsEmpty());
  EXPECT_EQ(Roles(*target_), Roles(*source_));
  EXPECT_THAT(target_->QueryValue("SELECT pg_tablespace_location(oid) FROM "
                                  "pg_tablespace WHERE spcname = 'fast'"),
              IsOkAndHolds(space));
  // Nothing that could be used to log in stands anywhere.
  for (const std::string& statement : report.statements) {
    EXPECT_THAT(statement, ::testing::Not(::testing::HasSubstr("SCRAM-SHA")));
  }
  const std::string log = target_->Log();
  EXPECT_THAT(log, ::testing::HasSubstr("BEGIN"));
  EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr("SCRAM-SHA")));
  EXPECT_THAT(log, ::testing::Not(::testing::HasSubstr("PASSWORD")));
}

TEST_P(GlobalsUpgradeTest, MakesNothingTwice) {
  ASSERT_OK_AND_ASSIGN(const std::string space, MakeDirectory(*target_));
  GlobalsOptions options = Options();
  options.plan.tablespaces = {{.from = "fast", .to = space}};
  ASSERT_OK(Run(options));
  const std::string roles = Roles(*target_);
  ASSERT_OK_AND_ASSIGN(const GlobalsReport again, Run(options));
  EXPECT_THAT(again.statements, ::testing::IsEmpty())
      << absl::StrJoin(again.statements, "\n");
  EXPECT_THAT(events_.All<Notice>().back().level, Notice::Level::kInfo);
  EXPECT_EQ(Roles(*target_), roles);
}

// The rest cannot be in one transaction with CREATE TABLESPACE.
TEST_P(GlobalsUpgradeTest, CompletesATablespaceAfterWhichItWasKilled) {
  ASSERT_OK_AND_ASSIGN(const std::string space, MakeDirectory(*target_));
  GlobalsOptions options = Options();
  options.plan.tablespaces = {{.from = "fast", .to = "/nowhere"}};
  ASSERT_OK(Run(options));
  ASSERT_OK(target_->Exec(
      absl::StrCat("CREATE TABLESPACE fast OWNER owner_group LOCATION '", space,
                   "' WITH (random_page_cost = 1.1)")));
  options.plan.tablespaces = {{.from = "fast", .to = space}};
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(options));
  EXPECT_THAT(report.tablespaces, ::testing::ElementsAre("fast"));
  EXPECT_EQ(Roles(*target_), Roles(*source_));
}

class GlobalsExistingTest : public GlobalsTest {
 protected:
  void SetUp() override {
    StartServers({}, {});
    if (HasFatalFailure()) return;
    ASSERT_OK(target_->Exec(
        "CREATE ROLE app NOLOGIN CREATEDB; ALTER ROLE app SET work_mem = '1MB';"
        "CREATE ROLE readers; COMMENT ON ROLE readers IS 'read'"));
  }

  std::vector<std::string> Warnings() const {
    std::vector<std::string> texts;
    for (const Notice& notice : events_.All<Notice>()) {
      if (notice.level == Notice::Level::kWarning) texts.push_back(notice.text);
    }
    return texts;
  }
};

TEST_F(GlobalsExistingTest, LeavesWhatTheTargetHasAndSaysWhatDiffers) {
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(Options()));
  EXPECT_EQ(report.roles.size(), 10u);
  EXPECT_THAT(
      Warnings(),
      ::testing::ElementsAre(
          "role app: exists on the target and is left as it is; on the source "
          "it differs: NOCREATEDB, LOGIN, comment, settings",
          "role app: exists on the target and is left as it is; on the source "
          "it is a member of readers",
          ::testing::MatchesRegex(
              "target: tablespace fast: directory .* already in use as a "
              "tablespace .SQLSTATE 55006.; it is skipped")));
  EXPECT_THAT(report.skipped_tablespaces, ::testing::ElementsAre("fast"));
  EXPECT_THAT(
      target_->QueryValue("SELECT concat_ws(' ', rolcanlogin, rolcreatedb, "
                          "rolpassword) FROM pg_authid WHERE rolname = 'app'"),
      IsOkAndHolds("f t"));
}

TEST_F(GlobalsExistingTest, MakesThemAsOnTheSourceWhenTold) {
  ASSERT_OK_AND_ASSIGN(const std::string space, MakeDirectory(*target_));
  ASSERT_OK(target_->Exec(
      absl::StrCat("CREATE TABLESPACE fast LOCATION '", space, "'")));
  GlobalsOptions options = Options();
  options.plan.update_existing = true;
  ASSERT_OK(Run(options));
  EXPECT_THAT(Warnings(), ::testing::IsEmpty());
  EXPECT_EQ(Roles(*target_), Roles(*source_));
}

TEST_F(GlobalsExistingTest, NeverTouchesWhoMigratesNorTheFirstSuperuser) {
  ASSERT_OK(source_->Exec(
      "ALTER ROLE postgres CONNECTION LIMIT 7 PASSWORD 'source-secret'; "
      "CREATE ROLE mover LOGIN CONNECTION LIMIT 5; GRANT readers TO mover; "
      "ALTER ROLE mover SET work_mem = '9MB'"));
  ASSERT_OK(target_->Exec("CREATE ROLE mover SUPERUSER LOGIN"));
  GlobalsOptions options = Options();
  options.plan.update_existing = true;
  options.endpoints.target = target_->ConnInfoAs("mover", "");
  ASSERT_OK(Run(options));
  EXPECT_THAT(
      target_->QueryValue(
          "SELECT string_agg(concat_ws(' ', rolname, rolsuper, rolconnlimit, "
          "rolpassword), ',' ORDER BY rolname) FROM pg_authid WHERE rolname IN "
          "('mover', 'postgres')"),
      IsOkAndHolds("mover t -1,postgres t -1"));
  EXPECT_THAT(target_->QueryValue(
                  "SELECT (SELECT count(*) FROM pg_auth_members WHERE "
                  "member = 'mover'::regrole) + (SELECT count(*) FROM "
                  "pg_db_role_setting WHERE setrole = 'mover'::regrole)"),
              IsOkAndHolds("0"));
}

TEST_F(GlobalsExistingTest, OnlySaysWhatItWouldDo) {
  GlobalsOptions options = Options();
  options.plan.tablespaces = {{.from = "fast", .to = "/nowhere"}};
  options.dry_run = true;
  const std::string before = Roles(*target_);
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(options));
  EXPECT_THAT(report.statements,
              ::testing::IsSupersetOf(
                  {std::string("CREATE ROLE \"lead\" LOGIN PASSWORD '***'"),
                   std::string("CREATE ROLE \"seer\" BYPASSRLS"),
                   std::string("ALTER ROLE ALL SET \"statement_timeout\" TO "
                               "'1h'")}));
  EXPECT_EQ(report.findings.back().id, "tablespace-skipped");
  EXPECT_EQ(report.findings.back().text,
            "the target has no directory /nowhere; it is not made, and what "
            "lies in it goes to the target's default tablespace");
  EXPECT_EQ(Roles(*target_), before);
}

class GlobalsFaultTest : public GlobalsTest {
 protected:
  void SetUp() override { StartServers({}, {}); }
};

TEST_F(GlobalsFaultTest, MakesAllRolesOrNoneWhenItIsKilledInTheMiddle) {
  const std::string before = Roles(*target_);
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string output = directory.path() + "/output";
  ASSERT_OK_AND_ASSIGN(SqlConnection rival,
                       SqlConnection::Open(target_->ConnInfo()));
  ASSERT_OK(rival.Exec("BEGIN; LOCK TABLE pg_db_role_setting IN SHARE MODE"));
  ASSERT_OK_AND_ASSIGN(
      ChildProcess run,
      ChildProcess::Start(
          {.command = {WalferryBinary(), "globals", "--source",
                       source_->ConnInfo(), "--target", target_->ConnInfo()},
           .stdout_path = output,
           .stderr_path = output}));
  // Roles are created, and their settings are not.
  EXPECT_TRUE(WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_locks WHERE NOT granted AND "
                   "relation = 'pg_catalog.pg_db_role_setting'::regclass")
               .value_or("") == "1";
  })) << ReadFile(output)
      << target_->Log();
  run.Signal(SIGKILL);
  EXPECT_OK(run.Wait(kTestPatience).status());
  ASSERT_OK(rival.Exec("ROLLBACK"));
  EXPECT_TRUE(WaitUntil([&] {
    return target_
               ->QueryValue(
                   "SELECT count(*) FROM pg_stat_activity WHERE "
                   "application_name LIKE '%: globals'")
               .value_or("") == "0";
  }));
  EXPECT_EQ(Roles(*target_), before);
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(Options()));
  EXPECT_EQ(report.roles.size(), 12u);
}

TEST_F(GlobalsFaultTest, StopsBeforeWhatARoleMayNotGive) {
  ASSERT_OK(target_->Exec("CREATE ROLE mover LOGIN CREATEROLE CREATEDB"));
  GlobalsOptions options = Options();
  options.endpoints.target = target_->ConnInfoAs("mover", "");
  const absl::Status blocked = Run(options).status();
  EXPECT_EQ(blocked.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(
      std::string(blocked.message()),
      ::testing::AllOf(
          ::testing::HasSubstr("role root2: is SUPERUSER on the source, which "
                               "role mover may not give on the target"),
          ::testing::HasSubstr("role replicator: is REPLICATION"),
          ::testing::HasSubstr("role seer: is BYPASSRLS"),
          ::testing::HasSubstr("role root2: has log_statement set, which role "
                               "mover may not set for it on the target"),
          ::testing::HasSubstr("every role: has statement_timeout set")));
  EXPECT_THAT(HintOf(blocked),
              ::testing::HasSubstr("to go on without: --accept "
                                   "role-attributes"));
  EXPECT_THAT(target_->QueryValue("SELECT count(*) FROM pg_authid WHERE "
                                  "rolname = 'app'"),
              IsOkAndHolds("0"));
  options.accept = {"role-attributes", "role-setting", "role-membership"};
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(options));
  EXPECT_EQ(report.roles.size(), 12u);
  EXPECT_THAT(
      target_->QueryValue(
          "SELECT string_agg(rolname, ' ' ORDER BY rolname) FROM pg_authid "
          "WHERE rolname IN ('app', 'root2', 'seer') AND NOT rolsuper AND NOT "
          "rolbypassrls AND (rolpassword LIKE 'SCRAM%') = (rolname <> 'seer')"),
      IsOkAndHolds("app root2"));
}

TEST_F(GlobalsFaultTest, NamesEveryRoleThatComesWithoutItsPassword) {
  ASSERT_OK(source_->Exec("CREATE ROLE reader LOGIN"));
  ASSERT_OK(target_->Exec("CREATE ROLE reader SUPERUSER"));
  GlobalsOptions options = Options();
  options.endpoints.source = source_->ConnInfoAs("reader", "");
  ASSERT_OK_AND_ASSIGN(const GlobalsReport report, Run(options));
  EXPECT_THAT(report.roles_without_password,
              ::testing::ElementsAre("Re port'er", "app", "lead", "maker",
                                     "old_md5", "replicator", "root2"));
  EXPECT_THAT(target_->QueryValue("SELECT count(rolpassword) FROM pg_authid"),
              IsOkAndHolds("0"));
}

}  // namespace
}  // namespace walferry
