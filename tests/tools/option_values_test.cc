#include "tools/option_values.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

EnvironmentReader Environment(std::map<std::string, std::string> variables) {
  return [variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

std::vector<ConfigEntry> Config(const std::string& text) {
  absl::StatusOr<std::vector<ConfigEntry>> entries =
      ParseConfig(text, "w.toml");
  EXPECT_OK(entries);
  return entries.ok() ? *entries : std::vector<ConfigEntry>();
}

// "value from where".
std::string Describe(const OptionValues& values, OptionId id) {
  const OptionValues::Entry& entry = values.entry(id);
  return ToText(entry.value) + " from " +
         (entry.origin == OriginKind::kDefault ? "default" : entry.where);
}

TEST(OptionValues, LetTheStrongerLayerWin) {
  const auto config = Config("jobs = 5\n[migrate]\njobs = 6\n");
  const auto environment = Environment({{"WALFERRY_JOBS", "7"}});
  const FlagTexts flags = {{OptionId::kJobs, {"8"}}};
  struct Layers {
    FlagTexts flags;
    EnvironmentReader environment;
    std::vector<ConfigEntry> config;
    std::string expected;
  };
  for (const Layers& layers : std::vector<Layers>{
           {{}, Environment({}), {}, "4 from default"},
           {{}, Environment({}), Config("jobs = 5"), "5 from w.toml:1: jobs"},
           {{}, Environment({}), config, "6 from w.toml:3: jobs"},
           {{}, environment, config, "7 from WALFERRY_JOBS"},
           {flags, environment, config, "8 from --jobs"},
       }) {
    ASSERT_OK_AND_ASSIGN(
        const OptionValues values,
        OptionValues::Resolve(Command::kMigrate, layers.flags,
                              layers.environment, layers.config));
    EXPECT_EQ(Describe(values, OptionId::kJobs), layers.expected);
  }
}

TEST(OptionValues, PreferTheSectionWhereverItStands) {
  std::vector<ConfigEntry> config = Config("jobs = 5\n[migrate]\njobs = 6\n");
  std::swap(config.front(), config.back());
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kMigrate, {}, Environment({}), config));
  EXPECT_EQ(values.Integer(OptionId::kJobs), 6);
}

TEST(OptionValues, IgnoreTheSectionsOfOtherCommands) {
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kMigrate, {}, Environment({}),
                            Config("[check]\njobs = 6\n")));
  EXPECT_EQ(Describe(values, OptionId::kJobs), "4 from default");
}

TEST(OptionValues, ReadListsFromEveryLayer) {
  const FlagTexts flags = {{OptionId::kTable, {"a", "b,c", "[de]"}}};
  const auto environment = Environment({{"WALFERRY_SCHEMA", "x, y"}});
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kMigrate, flags, environment,
                            Config("accept = [\"p,q\", \"r\"]")));
  EXPECT_THAT(values.List(OptionId::kTable),
              testing::ElementsAre("a", "b", "c", "[de]"));
  EXPECT_THAT(values.List(OptionId::kSchema), testing::ElementsAre("x", "y"));
  EXPECT_THAT(values.List(OptionId::kAccept), testing::ElementsAre("p,q", "r"));
}

TEST(OptionValues, ReplaceListsInsteadOfJoiningThem) {
  const FlagTexts flags = {{OptionId::kTable, {"a"}}};
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kMigrate, flags, Environment({}),
                            Config("table = [\"b\"]")));
  EXPECT_THAT(values.List(OptionId::kTable), testing::ElementsAre("a"));
}

TEST(OptionValues, TakeAnEmptyVariableForNone) {
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kMigrate, {},
                            Environment({{"WALFERRY_JOBS", ""}}), {}));
  EXPECT_EQ(Describe(values, OptionId::kJobs), "4 from default");
}

TEST(OptionValues, LetAFlagUndoAWeakerLayer) {
  const auto environment = Environment({{"WALFERRY_NO_OWNER", "true"}});
  ASSERT_OK_AND_ASSIGN(const OptionValues values,
                       OptionValues::Resolve(Command::kMigrate,
                                             {{OptionId::kNoOwner, {"false"}}},
                                             environment, {}));
  EXPECT_FALSE(values.Flag(OptionId::kNoOwner));
}

TEST(OptionValues, KnowNoColor) {
  ASSERT_OK_AND_ASSIGN(
      const OptionValues values,
      OptionValues::Resolve(Command::kStatus, {},
                            Environment({{"NO_COLOR", "yes please"}}), {}));
  EXPECT_EQ(Describe(values, OptionId::kNoColor), "true from NO_COLOR");
  ASSERT_OK_AND_ASSIGN(
      const OptionValues with_both,
      OptionValues::Resolve(
          Command::kStatus, {},
          Environment({{"NO_COLOR", "1"}, {"WALFERRY_NO_COLOR", "false"}}),
          {}));
  EXPECT_EQ(Describe(with_both, OptionId::kNoColor),
            "false from WALFERRY_NO_COLOR");
}

TEST(OptionValues, SayWhichLayerIsWrong) {
  const auto resolve = [](const FlagTexts& flags,
                          const EnvironmentReader& environment) {
    return OptionValues::Resolve(Command::kMigrate, flags, environment, {})
        .status();
  };
  EXPECT_THAT(resolve({{OptionId::kJobs, {"x"}}}, Environment({})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--jobs must be a whole number from 1 to 256, not "
                       "\"x\""));
  EXPECT_THAT(resolve({{OptionId::kJobs, {"1", "2"}}}, Environment({})),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "--jobs must be given once"));
  const absl::Status status =
      resolve({}, Environment({{"WALFERRY_RETRY_FOR", "10"}}));
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "WALFERRY_RETRY_FOR must be a duration from 0 to 8760h "
                       "(such as 30s), not \"10\""));
  EXPECT_EQ(HintOf(status), "give a unit: 10s is seconds, 10m minutes");
}

TEST(OptionValues, DoNotLookAtOptionsOfOtherCommands) {
  const auto environment = Environment({{"WALFERRY_JOBS", "nonsense"}});
  EXPECT_OK(OptionValues::Resolve(Command::kStatus, {}, environment, {}));
}

}  // namespace
}  // namespace walferry
