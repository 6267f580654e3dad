#include "tools/man_page.h"

#include <cstdio>
#include <fstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/child_process.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"
#include "tools/help_text.h"
#include "tools/option_table.h"

namespace walferry {
namespace {

std::string WithRoffHyphens(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"-", "\\-"}});
}

TEST(ManPage, HasEveryCommandAndOption) {
  const std::string page = ManPage();
  for (const CommandSpec& spec : Commands()) {
    EXPECT_THAT(page, testing::HasSubstr(absl::StrCat(
                          ".SS ", WithRoffHyphens(UsageLine(spec)), "\n")));
  }
  for (const OptionSpec& spec : Options()) {
    EXPECT_THAT(page,
                testing::HasSubstr(absl::StrCat(
                    ".TP\n\\fB", WithRoffHyphens(OptionHeading(spec)), "\\fR\n",
                    WithRoffHyphens(OptionDetails(spec)), "\n")));
  }
}

TEST(ManPage, NamesAllCommandsOfAnOption) {
  EXPECT_THAT(ManPage(), testing::HasSubstr("WALFERRY_WAIT]\n"
                                            "Commands: cutover, config.\n"));
}

// Every line that begins with a control character is one of these requests.
TEST(ManPage, HasOnlyTheRequestsThatItMeans) {
  for (absl::string_view line : absl::StrSplit(ManPage(), '\n')) {
    if (!absl::StartsWith(line, ".") && !absl::StartsWith(line, "'")) continue;
    const absl::string_view request = line.substr(0, line.find(' '));
    EXPECT_THAT(request,
                testing::AnyOf(".TH", ".SH", ".SS", ".TP", ".PP", ".EX", ".EE"))
        << line;
  }
}

TEST(ManPage, IsFineForGroff) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/walferry.1";
  std::ofstream(path) << ManPage();
  ASSERT_OK_AND_ASSIGN(
      const CommandResult groff,
      RunCommand({.command = {"groff", "-man", "-ww", "-z", path}},
                 absl::Seconds(30)));
  EXPECT_EQ(groff.output, "");
  EXPECT_EQ(groff.exit_code, 0);
}

}  // namespace
}  // namespace walferry
