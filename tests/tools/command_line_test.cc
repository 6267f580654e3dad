#include "tools/command_line.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(CommandLine, ReadsOptionsInEveryNotation) {
  ASSERT_OK_AND_ASSIGN(
      const CommandLine line,
      ParseCommandLine({"migrate", "--source", "host=a b=c", "--target=host=x",
                        "--no-owner", "--no-acl=false", "--table", "[ab]*",
                        "--table=c,d", "--jobs", "-3", "--events", "-"}));
  EXPECT_EQ(line.command, Command::kMigrate);
  EXPECT_EQ(line.argument, "");
  EXPECT_FALSE(line.general_help);
  EXPECT_THAT(line.flags,
              testing::UnorderedElementsAre(
                  Pair(OptionId::kSource, ElementsAre("host=a b=c")),
                  Pair(OptionId::kTarget, ElementsAre("host=x")),
                  Pair(OptionId::kNoOwner, ElementsAre("true")),
                  Pair(OptionId::kNoAcl, ElementsAre("false")),
                  Pair(OptionId::kTable, ElementsAre("[ab]*", "c,d")),
                  Pair(OptionId::kJobs, ElementsAre("-3")),
                  Pair(OptionId::kEvents, ElementsAre("-"))));
}

TEST(CommandLine, KeepsAListInBracketsWhole) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line,
                       ParseCommandLine({"check", "--table", "[abc]"}));
  EXPECT_THAT(line.flags,
              ElementsAre(Pair(OptionId::kTable, ElementsAre("[abc]"))));
}

TEST(CommandLine, KeepsEveryOccurrence) {
  ASSERT_OK_AND_ASSIGN(
      const CommandLine line,
      ParseCommandLine({"migrate", "--jobs", "1", "--jobs", "2"}));
  EXPECT_THAT(line.flags,
              ElementsAre(Pair(OptionId::kJobs, ElementsAre("1", "2"))));
}

TEST(CommandLine, ReadsTheArgument) {
  ASSERT_OK_AND_ASSIGN(CommandLine line,
                       ParseCommandLine({"completion", "bash"}));
  EXPECT_EQ(line.argument, "bash");
  ASSERT_OK_AND_ASSIGN(
      line, ParseCommandLine({"config", "migrate", "--show", "--jobs=3"}));
  EXPECT_EQ(line.command, Command::kConfig);
  EXPECT_EQ(line.argument, "migrate");
}

TEST(CommandLine, ReadsRequestsForHelp) {
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"--help"}, {"-h"}, {"help"}}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, ParseCommandLine(arguments));
    EXPECT_TRUE(line.general_help);
  }
  for (std::vector<std::string> arguments :
       {std::vector<std::string>{"help", "follow"},
        {"follow", "--help"},
        {"follow", "-h"},
        {"--help", "follow"}}) {
    ASSERT_OK_AND_ASSIGN(const CommandLine line, ParseCommandLine(arguments));
    EXPECT_EQ(line.command, Command::kFollow);
    EXPECT_THAT(line.flags,
                ElementsAre(Pair(OptionId::kHelp, ElementsAre("true"))));
  }
}

TEST(CommandLine, TakesVersionAsAFlagToo) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line, ParseCommandLine({"--version"}));
  EXPECT_EQ(line.command, Command::kVersion);
}

struct WrongLine {
  std::string name;
  std::vector<std::string> arguments;
  std::string error;
  std::string hint;
};

class WrongLineTest : public testing::TestWithParam<WrongLine> {};

TEST_P(WrongLineTest, SaysWhatIsWrong) {
  const absl::Status status = ParseCommandLine(GetParam().arguments).status();
  EXPECT_THAT(status,
              StatusIs(absl::StatusCode::kInvalidArgument, GetParam().error));
  EXPECT_EQ(HintOf(status), GetParam().hint);
}

INSTANTIATE_TEST_SUITE_P(
    CommandLine, WrongLineTest,
    testing::ValuesIn(std::vector<WrongLine>{
        {"Nothing",
         {},
         "no command is given",
         "walferry --help lists the commands"},
        {"UnknownCommand",
         {"migarte"},
         "unknown command \"migarte\"",
         "did you mean walferry migrate?"},
        {"UnknownCommandFarFromAny",
         {"frobnicate"},
         "unknown command \"frobnicate\"",
         "walferry --help lists the commands"},
        {"UriForACommand",
         {"postgres://a:s3cret@h/d"},
         "unknown command \"postgres://a:***@h/d\"",
         "walferry --help lists the commands"},
        {"OptionBeforeTheCommand",
         {"--jobs=3", "migrate"},
         "unknown option --jobs",
         "options stand after the command: walferry COMMAND --option"},
        {"UnknownOption",
         {"migrate", "--soruce", "password=s3cret"},
         "unknown option --soruce",
         "did you mean --source?"},
        {"UnknownOptionWithValue",
         {"migrate", "--soruce=password=s3cret"},
         "unknown option --soruce",
         "did you mean --source?"},
        {"UnknownOptionFarFromAny",
         {"status", "--frobnicate"},
         "unknown option --frobnicate",
         "walferry status --help lists the options"},
        {"UnknownShortOption",
         {"migrate", "-j", "4"},
         "unknown option -j",
         "walferry migrate --help lists the options"},
        {"OptionOfAnotherCommand",
         {"status", "--jobs", "4"},
         "walferry status has no option --jobs",
         "walferry status --help lists the options"},
        {"NoValue",
         {"migrate", "--source"},
         "--source needs a value",
         "write --source URI"},
        {"EmptyValue",
         {"migrate", "--source=", "x"},
         "--source needs a value",
         "write --source URI"},
        {"EmptySecondToken",
         {"migrate", "--name", ""},
         "--name needs a value",
         "write --name NAME"},
        {"OptionForAValue",
         {"migrate", "--source", "--target", "x"},
         "--source needs a value",
         "write --source URI"},
        {"UnexpectedArgument",
         {"migrate", "postgres://a:s3cret@h/d"},
         "unexpected argument \"postgres://a:***@h/d\"",
         "walferry migrate --help shows its usage"},
        {"SecondArgument",
         {"completion", "bash", "zsh"},
         "unexpected argument \"zsh\"",
         "walferry completion --help shows its usage"},
        {"WrongArgument",
         {"completion", "fish"},
         "walferry completion: SHELL must be bash or zsh",
         "usage: walferry completion [OPTIONS] SHELL"},
        {"NoArgument",
         {"completion"},
         "walferry completion: SHELL must be bash or zsh",
         "usage: walferry completion [OPTIONS] SHELL"},
    }),
    [](const auto& test) { return test.param.name; });

// The value is read by the option table, not by CLI11.
TEST(CommandLine, LeavesAFlagsValueToTheTable) {
  ASSERT_OK_AND_ASSIGN(const CommandLine line,
                       ParseCommandLine({"migrate", "--no-owner=maybe"}));
  EXPECT_THAT(line.flags,
              ElementsAre(Pair(OptionId::kNoOwner, ElementsAre("maybe"))));
}

}  // namespace
}  // namespace walferry
