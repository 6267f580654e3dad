#include "tools/help_text.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tools/exit_code.h"

namespace walferry {
namespace {

using testing::HasSubstr;

void ExpectNarrow(const std::string& text) {
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(line.size(), 80u) << line;
  }
}

TEST(HelpText, ListsEveryCommandAndExitCode) {
  const std::string help = GeneralHelp();
  for (const CommandSpec& spec : Commands()) {
    EXPECT_THAT(help, HasSubstr(absl::StrCat("\n  ", spec.name, " ")));
    EXPECT_THAT(help, HasSubstr(std::string(spec.summary)));
  }
  for (const ExitCodeMeaning& entry : ExitCodeMeanings()) {
    EXPECT_THAT(help, HasSubstr(absl::StrFormat(
                          "\n  %-4d%s", static_cast<int>(entry.code),
                          entry.meaning.substr(0, entry.meaning.find(';')))));
  }
}

TEST(HelpText, ListsExactlyTheOptionsOfACommand) {
  for (const CommandSpec& command : Commands()) {
    const std::string help = CommandHelp(command.command);
    for (const OptionSpec& option : Options()) {
      EXPECT_EQ(absl::StrContains(
                    help, absl::StrCat("\n  ", OptionHeading(option), "\n")),
                Contains(option.commands, command.command))
          << command.name << " --" << option.name;
    }
    ExpectNarrow(help);
  }
}

TEST(HelpText, ShowsDefaultAndEnvironmentOfAnOption) {
  EXPECT_EQ(OptionHeading(SpecOf(OptionId::kFreeze)), "--freeze HOW");
  EXPECT_EQ(OptionHeading(SpecOf(OptionId::kNoOwner)), "--no-owner");
  EXPECT_EQ(OptionHeading(SpecOf(OptionId::kHelp)), "-h, --help");
  EXPECT_THAT(OptionDetails(SpecOf(OptionId::kAccept)),
              HasSubstr("or for one subject only by ID:SUBJECT"));
  EXPECT_EQ(OptionDetails(SpecOf(OptionId::kJobs)),
            "Tables, or ranges of large tables, copied or compared at once. "
            "[default: 4; env: WALFERRY_JOBS]");
  EXPECT_EQ(OptionDetails(SpecOf(OptionId::kLogFormat)),
            "Form of the log on the standard error. One of text, json. "
            "[default: text; env: WALFERRY_LOG_FORMAT]");
  EXPECT_EQ(OptionDetails(SpecOf(OptionId::kForce)),
            "Also end a connection that still uses the slot.");
}

TEST(HelpText, LooksLikeThis) {
  EXPECT_EQ(CommandHelp(Command::kCompletion),
            R"(Usage: walferry completion [OPTIONS] SHELL

For bash: source it, or save it in
/usr/share/bash-completion/completions/walferry. For zsh: save it as _walferry
in a directory of $fpath.

SHELL is one of bash, zsh.

General:
  -h, --help
      Print this help.

Example:
  source <(walferry completion bash)
)");
}

}  // namespace
}  // namespace walferry
