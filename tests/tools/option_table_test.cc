#include "tools/option_table.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"
#include "tools/option_value.h"

namespace walferry {
namespace {

TEST(OptionTable, HasUniqueNames) {
  std::set<std::string> names, variables;
  for (const OptionSpec& spec : Options()) {
    EXPECT_TRUE(names.insert(std::string(spec.name)).second) << spec.name;
    EXPECT_EQ(FindOption(spec.name), &spec);
    const std::string variable = EnvironmentName(spec);
    if (variable.empty()) continue;
    EXPECT_TRUE(variables.insert(variable).second) << variable;
  }
  EXPECT_EQ(FindOption("nonsense"), nullptr);
}

TEST(OptionTable, NamesTheEnvironmentAfterTheOption) {
  EXPECT_EQ(EnvironmentName(SpecOf(OptionId::kSource)), "WALFERRY_SOURCE");
  EXPECT_EQ(EnvironmentName(SpecOf(OptionId::kSplitSize)),
            "WALFERRY_SPLIT_SIZE");
  EXPECT_EQ(EnvironmentName(SpecOf(OptionId::kConfig)), "WALFERRY_CONFIG");
  EXPECT_EQ(EnvironmentName(SpecOf(OptionId::kHelp)), "");
}

TEST(OptionTable, DocumentsEveryOption) {
  for (const OptionSpec& spec : Options()) {
    EXPECT_TRUE(absl::EndsWith(spec.help, ".")) << spec.name;
    EXPECT_NE(spec.commands, 0u) << spec.name;
    EXPECT_EQ(spec.placeholder.empty(), spec.type == OptionType::kFlag)
        << spec.name;
    EXPECT_EQ(spec.choices.empty(), spec.type != OptionType::kChoice)
        << spec.name;
    for (char c : spec.name) {
      EXPECT_TRUE(c == '-' || absl::ascii_islower(c)) << spec.name;
    }
  }
}

// A heading stands over all of its options, or it would stand there twice.
TEST(OptionTable, IsInOrderOfItsHeadings) {
  OptionGroup before = Options().front().group;
  for (const OptionSpec& spec : Options()) {
    EXPECT_LE(before, spec.group) << spec.name;
    before = spec.group;
  }
}

TEST(OptionTable, HasDefaultsAndBoundsThatParse) {
  for (const OptionSpec& spec : Options()) {
    for (absl::string_view text :
         {spec.default_text, spec.minimum, spec.maximum}) {
      if (text.empty() || spec.type == OptionType::kName) continue;
      EXPECT_OK(ParseOptionValue(spec, {std::string(text)})) << spec.name;
    }
    if (!spec.default_text.empty()) {
      EXPECT_EQ(ToText(DefaultValue(spec)), spec.default_text) << spec.name;
    }
  }
}

TEST(OptionTable, GivesTypesThatNeedOneADefault) {
  for (const OptionSpec& spec : Options()) {
    switch (spec.type) {
      case OptionType::kFlag:
        EXPECT_EQ(spec.default_text, "false") << spec.name;
        break;
      case OptionType::kInteger:
      case OptionType::kSize:
      case OptionType::kDuration:
      case OptionType::kChoice:
        // What --verify does by default is another thing online.
        EXPECT_EQ(spec.default_text.empty(), spec.id == OptionId::kVerify)
            << spec.name;
        break;
      case OptionType::kString:
      case OptionType::kName:
      case OptionType::kList:
      case OptionType::kLsn:
        break;
    }
  }
}

TEST(OptionTable, KeepsConnectionStringsSecret) {
  for (const OptionSpec& spec : Options()) {
    EXPECT_EQ(spec.secret, spec.placeholder == "URI") << spec.name;
  }
}

TEST(OptionTable, GivesCheckEverythingThatMigrateTakes) {
  for (const OptionSpec& spec : Options()) {
    if (!Contains(spec.commands, Command::kMigrate)) continue;
    EXPECT_EQ(Contains(spec.commands, Command::kCheck),
              spec.id != OptionId::kEvents)
        << spec.name;
  }
}

TEST(CommandTable, DocumentsEveryCommand) {
  for (const CommandSpec& spec : Commands()) {
    EXPECT_EQ(FindCommand(spec.name), &spec);
    EXPECT_EQ(&SpecOf(spec.command), &spec);
    EXPECT_FALSE(spec.summary.empty()) << spec.name;
    EXPECT_FALSE(absl::EndsWith(spec.summary, ".")) << spec.name;
    EXPECT_TRUE(absl::EndsWith(spec.description, ".")) << spec.name;
    EXPECT_TRUE(
        absl::StrContains(spec.example, absl::StrCat("walferry ", spec.name)))
        << spec.name;
    EXPECT_EQ(spec.argument.empty(), spec.argument_choices.empty());
    EXPECT_TRUE(Contains(SpecOf(OptionId::kHelp).commands, spec.command))
        << spec.name;
  }
  EXPECT_EQ(FindCommand("nonsense"), nullptr);
}

TEST(CommandTable, LetsConfigShowEveryConfigurableCommand) {
  std::vector<std::string> names;
  for (const CommandSpec& spec : Commands()) {
    if (Contains(ConfigurableCommands(), spec.command)) {
      names.emplace_back(spec.name);
    }
  }
  EXPECT_EQ(names, ChoicesOf(SpecOf(Command::kConfig).argument_choices));
}

}  // namespace
}  // namespace walferry
