#include "tools/config_file.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

std::vector<std::string> Lines(const std::vector<ConfigEntry>& entries) {
  std::vector<std::string> lines;
  for (const ConfigEntry& entry : entries) {
    lines.push_back(absl::StrCat(
        entry.where, " ",
        entry.section.has_value()
            ? absl::StrCat("[", SpecOf(*entry.section).name, "] ")
            : "",
        SpecOf(entry.option).name, " = ", absl::StrJoin(entry.texts, " | ")));
  }
  return lines;
}

TEST(ConfigFile, ReadsEveryKindOfValueAndWhereItStands) {
  ASSERT_OK_AND_ASSIGN(const std::vector<ConfigEntry> entries,
                       ParseConfig(R"(source = "service=old"
jobs = 8
no-owner = true
table = ["a.b", "c,d"]
schema = "x, y"

[follow]
slot = "orders"
)",
                                   "w.toml"));
  EXPECT_THAT(
      Lines(entries),
      testing::UnorderedElementsAre(
          "w.toml:1 source = service=old", "w.toml:2 jobs = 8",
          "w.toml:3 no-owner = true", "w.toml:4 table = a.b | c,d",
          "w.toml:5 schema = x | y", "w.toml:8 [follow] slot = orders"));
}

TEST(ConfigFile, MayBeEmpty) {
  EXPECT_THAT(*ParseConfig("", "w.toml"), testing::IsEmpty());
  EXPECT_THAT(*ParseConfig("[migrate]\n", "w.toml"), testing::IsEmpty());
}

struct WrongConfig {
  std::string name;
  std::string text;
  std::string error;
  std::string hint;
};

class WrongConfigTest : public testing::TestWithParam<WrongConfig> {};

TEST_P(WrongConfigTest, SaysFileAndLine) {
  const absl::Status status = ParseConfig(GetParam().text, "w.toml").status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().error));
  EXPECT_EQ(HintOf(status), GetParam().hint);
}

INSTANTIATE_TEST_SUITE_P(
    ConfigFile, WrongConfigTest,
    testing::ValuesIn(std::vector<WrongConfig>{
        {"UnknownKey", "\njbos = 4", "w.toml:2: unknown key \"jbos\"",
         "did you mean jobs?"},
        {"UnknownKeyOfSection", "[cutover]\n\njobs = 4",
         "w.toml:3: unknown key of [cutover] \"jobs\"", ""},
        {"UnknownSection", "[migarte]\njobs = 4",
         "w.toml:1: unknown section \"migarte\"", "did you mean migrate?"},
        {"SectionOfACommandWithoutSettings", "[version]\n",
         "w.toml:1: unknown section \"version\"", ""},
        {"FlagsThatNoFileCanSet", "force = true",
         "w.toml:1: unknown key \"force\"", ""},
        {"ConfigItself", "config = \"x\"", "w.toml:1: unknown key \"config\"",
         ""},
        {"NestedSection", "[migrate.jobs]\nx = 1",
         "w.toml:1: jobs must be a whole number from 1 to 256", ""},
        {"BadValue", "jobs = 0",
         "w.toml:1: jobs must be a whole number from 1 to 256, not \"0\"", ""},
        {"BadValueWithHint", "freeze = \"readonly\"",
         "w.toml:1: freeze must be none or read-only, not \"readonly\"",
         "did you mean read-only?"},
        {"ArrayForOne", "jobs = [1]",
         "w.toml:1: jobs must be a whole number from 1 to 256", ""},
        {"FloatingPoint", "jobs = 1.5",
         "w.toml:1: jobs must be a whole number from 1 to 256", ""},
        {"ArrayOfArrays", "table = [[1]]",
         "w.toml:1: table must be a text that is not empty", ""},
        {"EmptyElement", "table = [\"\"]",
         "w.toml:1: table must not hold an empty element", ""},
        {"SecretOfWrongType", "source = [\"password=s3cret\"]",
         "w.toml:1: source must be a text that is not empty", ""},
    }),
    [](const auto& test) { return test.param.name; });

TEST(ConfigFile, SaysWhereTomlIsMalformed) {
  EXPECT_THAT(ParseConfig("jobs = 4\njobs =\n", "w.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("w.toml:2: ")));
  EXPECT_THAT(ParseConfig("jobs = 4\njobs = 5\n", "w.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::StartsWith("w.toml:2: ")));
}

TEST(ConfigFile, ReadsFromDisk) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/w.toml";
  std::ofstream(path) << "jobs = 5\n";
  ASSERT_OK_AND_ASSIGN(const auto entries, ReadConfigFile(path));
  EXPECT_THAT(Lines(entries), testing::ElementsAre(path + ":1 jobs = 5"));
  std::ofstream(path, std::ios::trunc) << "";
  EXPECT_THAT(*ReadConfigFile(path), testing::IsEmpty());
}

TEST(ConfigFile, SaysWhyItCannotBeRead) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  EXPECT_THAT(ReadConfigFile(directory.path() + "/none"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("cannot read ", directory.path(),
                                    "/none: No such file or directory")));
  EXPECT_THAT(ReadConfigFile(directory.path()),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       absl::StrCat("cannot read ", directory.path(),
                                    ": Is a directory")));
}

}  // namespace
}  // namespace walferry
