#include "engine/schema/pg_tools.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

class PgToolsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK_AND_ASSIGN(TempDir directory, TempDir::Create());
    root_.emplace(std::move(directory));
  }

  // A directory with scripts that call themselves that version.
  std::string Client(const std::string& name, const std::string& version) {
    Write(name + "/pg_dump", "#!/bin/sh\necho '" + version + "'\n");
    Write(name + "/pg_restore", "#!/bin/sh\n");
    return Path(name);
  }

  void Write(const std::string& name, const std::string& text) {
    const std::filesystem::path path = Path(name);
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    chmod(path.c_str(), 0755);
  }

  std::string Path(const std::string& name) const {
    return root_->path() + "/" + name;
  }

  static absl::StatusOr<PgTools> Find(
      int source, int target, const std::vector<std::string>& directories,
      const std::string& pg_dump = "") {
    return FindPgTools({.pg_dump = pg_dump,
                        .source_version = source * 10000 + 4,
                        .target_version = target * 10000 + 1},
                       directories);
  }

 private:
  std::optional<TempDir> root_;
};

TEST_F(PgToolsTest, TakesTheNearestThatIsNewEnough) {
  const std::string c15 =
      Client("15", "pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)");
  const std::string c16 = Client("16", "pg_dump (PostgreSQL) 16.2");
  const std::string c18 = Client("18", "pg_dump (PostgreSQL) 18beta1");
  const std::vector<std::string> all = {c18, "/nowhere", c15, c16};
  ASSERT_OK_AND_ASSIGN(PgTools tools, Find(14, 15, all));
  EXPECT_EQ(tools.pg_dump, c15 + "/pg_dump");
  EXPECT_EQ(tools.pg_restore, c15 + "/pg_restore");
  EXPECT_EQ(tools.major, 15);
  EXPECT_EQ(tools.version, "15.18");
  ASSERT_OK_AND_ASSIGN(tools, Find(16, 15, all));
  EXPECT_EQ(tools.version, "16.2");
  ASSERT_OK_AND_ASSIGN(tools, Find(15, 17, all));
  EXPECT_EQ(tools.version, "18beta1");
}

TEST_F(PgToolsTest, TakesTheFirstAmongEquals) {
  const std::string first = Client("a", "pg_dump (PostgreSQL) 15.1");
  const std::string second = Client("b", "pg_dump (PostgreSQL) 15.9");
  ASSERT_OK_AND_ASSIGN(const PgTools tools, Find(15, 15, {first, second}));
  EXPECT_EQ(tools.pg_dump, first + "/pg_dump");
}

TEST_F(PgToolsTest, SaysWhatItFoundWhenNoneIsNewEnough) {
  const std::string c15 = Client("15", "pg_dump (PostgreSQL) 15.18");
  const auto tools = Find(17, 16, {c15, c15 + "/../15"});
  EXPECT_THAT(tools,
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("no pg_dump is new enough: the source is "
                                    "PostgreSQL 17 and the target 16, found "
                                    "15.18 (",
                                    c15, "/pg_dump)")));
  EXPECT_EQ(HintOf(tools.status()),
            "install the package postgresql-client-17, or name a newer pg_dump "
            "with --pg-dump");
}

TEST_F(PgToolsTest, SaysThatItFoundNothing) {
  EXPECT_THAT(Find(15, 18, {"/nowhere"}),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       "no pg_dump is new enough: the source is PostgreSQL 15 "
                       "and the target 18, none was found"));
}

TEST_F(PgToolsTest, PassesOverWhatDoesNotRun) {
  Write("bad/pg_dump", "#!/bin/sh\nexit 127\n");
  const std::string good = Client("good", "pg_dump (PostgreSQL) 15.1");
  ASSERT_OK_AND_ASSIGN(const PgTools tools, Find(15, 15, {Path("bad"), good}));
  EXPECT_EQ(tools.pg_dump, good + "/pg_dump");
  Write("alone/pg_dump", "#!/bin/sh\necho pg_dump 15.1\n");
  EXPECT_THAT(
      Find(15, 15, {Path("bad"), Path("alone")}),
      StatusIs(
          absl::StatusCode::kFailedPrecondition,
          absl::StrCat("no pg_dump is new enough: the source is "
                       "PostgreSQL 15 and the target 15, found ",
                       Path("bad"), "/pg_dump --version: exit code 127, \"\", ",
                       Path("alone"), "/pg_dump: no pg_restore beside it")));
}

TEST_F(PgToolsTest, PassesOverDebiansWrapper) {
  Client("share", "pg_dump (PostgreSQL) 18.1");
  std::filesystem::rename(Path("share/pg_dump"), Path("share/pg_wrapper"));
  std::filesystem::create_directory(Path("bin"));
  std::filesystem::create_symlink(Path("share/pg_wrapper"),
                                  Path("bin/pg_dump"));
  const std::string real = Client("real", "pg_dump (PostgreSQL) 18.1");
  ASSERT_OK_AND_ASSIGN(const PgTools tools, Find(18, 18, {Path("bin"), real}));
  EXPECT_EQ(tools.pg_dump, real + "/pg_dump");
}

TEST_F(PgToolsTest, TakesTheOperatorsChoiceOrNone) {
  const std::string c15 = Client("15", "pg_dump (PostgreSQL) 15.18");
  const std::string c17 = Client("17", "pg_dump (PostgreSQL) 17.1");
  ASSERT_OK_AND_ASSIGN(PgTools tools, Find(15, 15, {c15}, c17 + "/pg_dump"));
  EXPECT_EQ(tools.version, "17.1");
  ASSERT_OK_AND_ASSIGN(tools, Find(15, 15, {"/nowhere", c15, c17}, "pg_dump"));
  EXPECT_EQ(tools.version, "15.18");
  EXPECT_THAT(Find(15, 16, {c17}, c15 + "/pg_dump"),
              StatusIs(absl::StatusCode::kFailedPrecondition,
                       absl::StrCat("no pg_dump is new enough: the source is "
                                    "PostgreSQL 15 and the target 16, found "
                                    "15.18 (",
                                    c15, "/pg_dump)")));
  const absl::Status missing = Find(15, 15, {c15}, "/nowhere/pg_dump").status();
  EXPECT_THAT(missing,
              StatusIs(absl::StatusCode::kNotFound,
                       "run /nowhere/pg_dump: No such file or directory"));
  EXPECT_EQ(HintOf(missing),
            "name the program itself with --pg-dump, or leave the option out: "
            "it is looked for on PATH and in the distribution's folders");
}

}  // namespace
}  // namespace walferry
