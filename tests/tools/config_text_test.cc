#include "tools/config_text.h"

#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using testing::HasSubstr;
using testing::Not;

OptionValues Resolve(Command command, const std::vector<ConfigEntry>& config) {
  const EnvironmentReader environment =
      [](const std::string& name) -> std::optional<std::string> {
    if (name != "WALFERRY_TARGET") return std::nullopt;
    return "host=new password='k 3y'";
  };
  absl::StatusOr<OptionValues> values = OptionValues::Resolve(
      command,
      {{OptionId::kTable, {"a\"b", "c\\d"}}, {OptionId::kNoOwner, {"true"}}},
      environment, config);
  EXPECT_OK(values);
  return *std::move(values);
}

std::vector<ConfigEntry> File() {
  return *ParseConfig(
      "source = \"postgres://ada:s3cret@old/shop\"\njobs = 8\n"
      "[check]\njobs = 9\n[follow]\nslot = \"s\"\n",
      "w.toml");
}

TEST(ConfigText, ShowsValuesAndWhereTheyComeFrom) {
  const std::string text = ShowConfig(
      Command::kMigrate, Resolve(Command::kMigrate, File()), Redactor());
  EXPECT_THAT(
      text, testing::StartsWith(
                "# Connections\n"
                "source = \"postgres://ada:***@old/shop\"  # w.toml:1: "
                "source\n"
                "target = \"host=new password='***'\"      # WALFERRY_TARGET\n"
                "name = \"walferry\"                       # default\n"));
  EXPECT_THAT(text, HasSubstr("\n\n# What is moved\nmode = \"online\""));
  EXPECT_THAT(text, HasSubstr("\njobs = 8                                # "
                              "w.toml:2: jobs\n"));
  EXPECT_THAT(text, HasSubstr("\nno-owner = true                         # "
                              "--no-owner\n"));
  EXPECT_THAT(text, HasSubstr("\n# slot is not set\n"));
  EXPECT_THAT(text, HasSubstr("\ntable = [\"a\\\"b\", \"c\\\\d\"] "));
  EXPECT_THAT(text, Not(HasSubstr("s3cret")));
  EXPECT_THAT(text, Not(HasSubstr("k 3y")));
}

TEST(ConfigText, ShowsWhatOneCommandSeesDifferently) {
  const OptionValues top = Resolve(Command::kConfig, File());
  EXPECT_EQ(ShowSection(Command::kCheck, Resolve(Command::kCheck, File()), top,
                        Redactor()),
            "\n[check]\njobs = 9                                # w.toml:4: "
            "jobs\n");
  EXPECT_EQ(ShowSection(Command::kMigrate, Resolve(Command::kMigrate, File()),
                        top, Redactor()),
            "");
}

// What it prints can be used as a file, but for the passwords.
TEST(ConfigText, ShowsAConfigurationFile) {
  const OptionValues top = Resolve(Command::kConfig, File());
  const std::string text = absl::StrCat(
      ShowConfig(Command::kConfig, top, Redactor()),
      ShowSection(Command::kCheck, Resolve(Command::kCheck, File()), top,
                  Redactor()));
  ASSERT_OK_AND_ASSIGN(const std::vector<ConfigEntry> again,
                       ParseConfig(text, "again"));
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(
          Command::kCheck, {}, [](const std::string&) { return std::nullopt; },
          again));
  EXPECT_EQ(values.Integer(OptionId::kJobs), 9);
  EXPECT_EQ(values.List(OptionId::kTable),
            (std::vector<std::string>{"a\"b", "c\\d"}));
}

TEST(ConfigText, GivesAnExampleThatHoldsWhenUncommented) {
  std::string uncommented;
  size_t keys = 0;
  for (absl::string_view line : absl::StrSplit(ExampleConfig(), '\n')) {
    if (!absl::StartsWith(line, "#") || absl::StartsWith(line, "# ")) continue;
    ++keys;
    // What has no default must be filled in first.
    if (absl::EndsWith(line, "\"\"")) continue;
    absl::StrAppend(&uncommented, line.substr(1), "\n");
  }
  EXPECT_OK(ParseConfig(uncommented, "example"));
  size_t expected = 0;
  for (const OptionSpec& spec : Options()) {
    if (spec.reach == OptionReach::kEverywhere) ++expected;
  }
  EXPECT_EQ(keys, expected);
}

}  // namespace
}  // namespace walferry
