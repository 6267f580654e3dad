#include "tools/completion.h"

#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tools/command_table.h"
#include "tools/option_table.h"

namespace walferry {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::IsSupersetOf;
using testing::Not;

// What bash offers for the last of `words` (as bash divides the line).
std::vector<std::string> Complete(const std::vector<std::string>& words) {
  absl::StatusOr<TempDir> directory = TempDir::Create();
  EXPECT_OK(directory);
  const std::string script = directory->path() + "/script";
  std::ofstream(script) << BashCompletion() << "\ncompopt() { :; }\n"
                        << "COMP_WORDS=('" << absl::StrJoin(words, "' '")
                        << "')\nCOMP_CWORD=" << words.size() - 1
                        << "\n_walferry\n"
                        << "printf '%s\\n' \"${COMPREPLY[@]}\"\n";
  std::ofstream(directory->path() + "/a file.toml") << "";
  absl::StatusOr<CommandResult> result =
      RunCommand({.command = {"bash", script}, .directory = directory->path()},
                 absl::Seconds(30));
  EXPECT_OK(result);
  EXPECT_EQ(result->exit_code, 0);
  return absl::StrSplit(result->output, '\n', absl::SkipEmpty());
}

TEST(BashCompletion, OffersCommands) {
  EXPECT_THAT(Complete({"walferry", "m"}), ElementsAre("migrate", "man"));
  std::vector<std::string> names = {"help", "--help", "--version"};
  for (const CommandSpec& spec : Commands()) names.emplace_back(spec.name);
  EXPECT_THAT(Complete({"walferry", ""}),
              testing::UnorderedElementsAreArray(names));
  EXPECT_THAT(Complete({"walferry", "help", "cl"}), ElementsAre("cleanup"));
}

TEST(BashCompletion, OffersTheOptionsOfTheCommand) {
  EXPECT_THAT(Complete({"walferry", "migrate", "--s"}),
              ElementsAre("--source", "--schema", "--schema-only", "--slot",
                          "--split-size"));
  EXPECT_THAT(Complete({"walferry", "status", "--"}),
              testing::AllOf(IsSupersetOf({"--target", "--json"}),
                             Not(Contains("--jobs"))));
  EXPECT_THAT(Complete({"walferry", "migrate", "--jobs", "4", "--keep"}),
              ElementsAre("--keep-slot", "--keep-publication"));
}

TEST(BashCompletion, OffersValues) {
  EXPECT_THAT(Complete({"walferry", "migrate", "--cutover", ""}),
              ElementsAre("manual", "auto"));
  EXPECT_THAT(Complete({"walferry", "migrate", "--cutover", "=", "a"}),
              ElementsAre("auto"));
  EXPECT_THAT(Complete({"walferry", "migrate", "--cutover", "="}),
              ElementsAre("manual", "auto"));
  EXPECT_THAT(Complete({"walferry", "migrate", "--config", "a"}),
              ElementsAre("a file.toml"));
  EXPECT_THAT(Complete({"walferry", "migrate", "--source", "p"}), IsEmpty());
}

TEST(BashCompletion, OffersTheArgument) {
  EXPECT_THAT(Complete({"walferry", "completion", "z"}), ElementsAre("zsh"));
}

TEST(ZshCompletion, KnowsEveryCommandAndOption) {
  const std::string script = ZshCompletion();
  for (const CommandSpec& spec : Commands()) {
    EXPECT_THAT(script, HasSubstr(absl::StrCat("\n      '", spec.name, ":")));
    EXPECT_THAT(script, HasSubstr(absl::StrCat("\n    ", spec.name, ")\n")));
  }
  for (const OptionSpec& spec : Options()) {
    EXPECT_THAT(script, HasSubstr(absl::StrCat(
                            "--", spec.name,
                            spec.type == OptionType::kFlag ? "[" : "=[")));
  }
}

TEST(ZshCompletion, IsZsh) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/_walferry";
  std::ofstream(path) << ZshCompletion();
  ASSERT_OK_AND_ASSIGN(
      const CommandResult zsh,
      RunCommand({.command = {"zsh", "-n", path}}, absl::Seconds(30)));
  EXPECT_EQ(zsh.output, "");
  EXPECT_EQ(zsh.exit_code, 0);
}

}  // namespace
}  // namespace walferry
