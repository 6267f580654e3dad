// `walferry verify` between two servers: what it says, and how it ends.

#include <signal.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/pg_connection.h"
#include "tests/cluster/app_fixture.h"
#include "tests/testing/built_paths.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using ::testing::HasSubstr;

constexpr absl::Duration kPatience = absl::Seconds(60);

class VerifyCommandTest : public AppTest {
 protected:
  void SetUp() override {
    AppTest::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    directory_.emplace(std::move(directory));
    source_info_ = source_->ConnInfo("app");
    OnBoth(
        "CREATE TABLE t (id int PRIMARY KEY, v text);"
        "INSERT INTO t VALUES (1, 'a'), (2, NULL), (3, 'c')");
  }

  void OnBoth(const std::string& sql) const {
    ASSERT_OK(OnSource(sql));
    ASSERT_OK(OnTarget(sql));
  }

  std::string Path(const std::string& name) const {
    return directory_->path() + "/" + name;
  }

  ChildOptions Command(const std::vector<std::string>& more) const {
    ChildOptions options = {
        .command = {WalferryBinary(), "verify", "--name", "test"},
        .environment = {
            absl::StrCat("WALFERRY_SOURCE=", source_info_),
            absl::StrCat("WALFERRY_TARGET=", target_->ConnInfo("app"))}};
    options.command.insert(options.command.end(), more.begin(), more.end());
    return options;
  }

  CommandResult Run(const std::vector<std::string>& more = {}) const {
    absl::StatusOr<CommandResult> result = RunCommand(Command(more), kPatience);
    EXPECT_OK(result);
    return result.ok() ? *std::move(result) : CommandResult{.exit_code = -1};
  }

  std::optional<TempDir> directory_;
  std::string source_info_;
};

TEST_F(VerifyCommandTest, EndsWithZeroIfBothHoldTheSame) {
  for (const char* const method :
       {"checksum", "sample", "counts", "estimate"}) {
    const CommandResult result = Run({"--method", method, "--no-schema"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    EXPECT_THAT(result.output, HasSubstr("equal: ")) << method;
  }
}

TEST_F(VerifyCommandTest, EndsWithThreeAndNamesWhatDiffers) {
  ASSERT_OK(
      OnTarget("UPDATE t SET v = '' WHERE id = 2;"
               "DELETE FROM t WHERE id = 3;"
               "INSERT INTO t VALUES (4, 'd')"));
  const CommandResult result = Run({"--no-schema"});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.output, HasSubstr("3 rows in 1 of 1 table\n"));
  EXPECT_THAT(result.output,
              HasSubstr("public.t: 1 row missing on the target, 1 row too many "
                        "there, 1 row different\n"));
  EXPECT_THAT(result.output,
              HasSubstr("  different  id=2\n"
                        "    v: NULL on the source, '' on the target\n"));
  EXPECT_THAT(result.output, HasSubstr("  missing    id=3\n"));
  EXPECT_THAT(result.output, HasSubstr("  extra      id=4\n"));
}

TEST_F(VerifyCommandTest, WritesTheSameForProgramsAndAsAPage) {
  ASSERT_OK(OnTarget("UPDATE t SET v = '<b>' WHERE id = 2"));
  EXPECT_EQ(Run({"--no-schema", "--report", Path("r.json")}).exit_code, 3);
  const auto json = nlohmann::json::parse(ReadFile(Path("r.json")));
  EXPECT_EQ(json["verdict"], "different");
  EXPECT_EQ(json["tables"][0]["rows"][0]["columns"][0].dump(),
            R"({"column":"v","source":null,"target":"<b>"})");
  EXPECT_EQ(Run({"--no-schema", "--report", Path("r.html")}).exit_code, 3);
  EXPECT_THAT(ReadFile(Path("r.html")),
              HasSubstr("<td>v</td><td><code>NULL</code></td><td><code>"
                        "&apos;&lt;b&gt;&apos;</code></td>"));
}

TEST_F(VerifyCommandTest, EndsWithThreeIfAnAnswerDiffers) {
  std::ofstream(Path("checks.toml"))
      << "[[check]]\nname = \"who asks\"\n"
         "sql = \"SELECT current_setting('port')\"\n"
         "[[check]]\nname = \"rows\"\nsql = \"SELECT count(*) FROM t\"\n";
  const CommandResult result =
      Run({"--no-schema", "--checks", Path("checks.toml")});
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_THAT(result.output, HasSubstr("  different  who asks"));
  EXPECT_THAT(result.output, HasSubstr("  equal      rows"));
}

TEST_F(VerifyCommandTest, RepairsAndEndsWithZero) {
  ASSERT_OK(
      OnTarget("UPDATE t SET v = '' WHERE id = 2;"
               "DELETE FROM t WHERE id = 3;"
               "INSERT INTO t VALUES (4, 'd')"));
  const std::string done =
      "repaired\n  public.t: 1 row inserted, 1 row deleted, 1 row updated\n";
  const CommandResult dry = Run({"--no-schema", "--repair", "--dry-run"});
  EXPECT_EQ(dry.exit_code, 3);
  EXPECT_THAT(dry.output, HasSubstr("\nwould be " + done));
  EXPECT_THAT(dry.output, HasSubstr("VALUES\n  ('3', 'c');\n"));
  EXPECT_EQ(
      Run({"--no-schema", "--repair", "--dry-run", "--report", Path("r.json")})
          .exit_code,
      3);
  const auto json = nlohmann::json::parse(ReadFile(Path("r.json")));
  EXPECT_EQ(json["repair"]["statements"].back(), "COMMIT");
  // Nobody sits there.
  EXPECT_EQ(Run({"--no-schema", "--repair"}).exit_code, 2);
  EXPECT_THAT(TargetValue("SELECT count(*) FROM t WHERE id = 4"),
              IsOkAndHolds("1"));
  const CommandResult repaired = Run({"--no-schema", "--repair", "--yes"});
  EXPECT_EQ(repaired.exit_code, 0) << repaired.output;
  EXPECT_THAT(repaired.output, HasSubstr("equal: all rows of "));
  EXPECT_THAT(repaired.output, HasSubstr("\n" + done));
  EXPECT_EQ(Run({"--no-schema"}).exit_code, 0);
}

TEST_F(VerifyCommandTest, EndsWithOneIfATableMayNotBeRead) {
  OnBoth("CREATE TABLE secret (id int PRIMARY KEY)");
  ASSERT_OK(OnSource("CREATE ROLE reader LOGIN; GRANT SELECT ON t TO reader"));
  source_info_ = source_->ConnInfoAs("reader", "", "app");
  const CommandResult result = Run({"--no-schema"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output,
              HasSubstr("NOT KNOWN: 1 of 2 tables could not be compared; "
                        "nothing else differs\n"));
  EXPECT_THAT(result.output, HasSubstr("permission denied for table secret"));
}

TEST_F(VerifyCommandTest, EndsWithSeventyFiveWhereItIsStopped) {
  ASSERT_OK_AND_ASSIGN(
      PgConnection holder,
      PgConnection::Open({.conninfo = source_->ConnInfo("app")}));
  ASSERT_OK(holder.Exec("BEGIN; LOCK TABLE t").status());
  ChildOptions command = Command({"--no-schema"});
  command.stdout_path = command.stderr_path = Path("output");
  ASSERT_OK_AND_ASSIGN(ChildProcess child, ChildProcess::Start(command));
  ASSERT_TRUE(WaitUntil([&] {
    return SourceValue(
               "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted AND "
               "relation = 't'::regclass")
               .value_or("") == "t";
  }));
  child.Signal(SIGINT);
  EXPECT_THAT(child.Wait(kPatience), IsOkAndHolds(75));
  EXPECT_THAT(ReadFile(Path("output")),
              HasSubstr("the same command goes on where this one stopped"));
  ASSERT_OK(holder.Exec("ROLLBACK").status());
  EXPECT_EQ(Run({"--no-schema"}).exit_code, 0);
}

}  // namespace
}  // namespace walferry
