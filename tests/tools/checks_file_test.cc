#include "tools/checks_file.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ChecksFile, ReadsEveryKindOfExpectation) {
  EXPECT_THAT(ParseChecks("[[check]]\n"
                          "name = \"orders\"\n"
                          "sql = \"SELECT count(*) FROM orders\"\n"
                          "expect = 1000\n"
                          "tolerance = \"5%\"\n"
                          "[[check]]\n"
                          "name = \"total\"\n"
                          "sql = \"SELECT sum(total) FROM orders\"\n"
                          "expect = 12.5\n"
                          "tolerance = 0.25\n"
                          "[[check]]\n"
                          "name = \"flag\"\n"
                          "sql = \"SELECT true\"\n"
                          "expect = true\n"
                          "[[check]]\n"
                          "name = \"text\"\n"
                          "sql = \"SELECT 'x'\"\n"
                          "expect = \"x\"\n"
                          "[[check]]\n"
                          "name = \"bounds\"\n"
                          "sql = \"SELECT 7\"\n"
                          "min = 3\n"
                          "max = 9.5\n",
                          "f"),
              IsOkAndHolds(ElementsAre(
                  SqlCheck{.name = "orders",
                           .sql = "SELECT count(*) FROM orders",
                           .expect = "1000",
                           .tolerance = "5",
                           .tolerance_in_percent = true},
                  SqlCheck{.name = "total",
                           .sql = "SELECT sum(total) FROM orders",
                           .expect = "12.5",
                           .tolerance = "0.25"},
                  SqlCheck{.name = "flag", .sql = "SELECT true", .expect = "t"},
                  SqlCheck{.name = "text", .sql = "SELECT 'x'", .expect = "x"},
                  SqlCheck{.name = "bounds",
                           .sql = "SELECT 7",
                           .minimum = "3",
                           .maximum = "9.5"})));
  EXPECT_THAT(ParseChecks("", "f"), IsOkAndHolds(IsEmpty()));
}

TEST(ChecksFile, NeedsNoExpectationWhereAnswersAreCompared) {
  const std::string query = "[[check]]\nname = \"a\"\nsql = \"SELECT 1\"\n";
  const auto parse = [&](const std::string& more) {
    return ParseChecks(query + more, "f", CheckUse::kCompared);
  };
  EXPECT_THAT(
      parse(""),
      IsOkAndHolds(ElementsAre(SqlCheck{.name = "a", .sql = "SELECT 1"})));
  EXPECT_THAT(
      parse("tolerance = \"5%\"\n"),
      IsOkAndHolds(ElementsAre(SqlCheck{.name = "a",
                                        .sql = "SELECT 1",
                                        .tolerance = "5",
                                        .tolerance_in_percent = true})));
  EXPECT_THAT(parse("min = 3\n"),
              IsOkAndHolds(ElementsAre(
                  SqlCheck{.name = "a", .sql = "SELECT 1", .minimum = "3"})));
  EXPECT_THAT(parse("expect = 1\nmin = 1\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "f:1: check \"a\": either expect, or min and max"));
  EXPECT_THAT(parse("min = 1\ntolerance = 1\n"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "f:1: check \"a\": a tolerance needs a number to "
                       "expect"));
}

// No double has that many digits.
TEST(ChecksFile, RoundsNoNumber) {
  ASSERT_OK_AND_ASSIGN(
      const std::vector<SqlCheck> checks,
      ParseChecks("check = [{ name = \"caf\xc3\xa9\", sql = \"s\", expect = "
                  "12345678901234567890.1234567891 }]\n",
                  "f"));
  EXPECT_EQ(checks[0].expect, "12345678901234567890.1234567891");
  ASSERT_OK_AND_ASSIGN(
      const std::vector<SqlCheck> others,
      ParseChecks("# caf\xc3\xa9\n[[check]]\nname = \"a\"\nsql = \"s\"\n"
                  "expect = +1_0.50e+2 # ten\n"
                  "tolerance = 0.10000000000000000001\n"
                  "[[check]]\nname = \"b\"\nsql = \"s\"\nexpect = -inf\n"
                  "[[check]]\nname = \"c\"\nsql = \"s\"\nexpect = nan\n",
                  "f"));
  EXPECT_EQ(others[0].expect, "+10.50e+2");
  EXPECT_EQ(others[0].tolerance, "0.10000000000000000001");
  EXPECT_EQ(others[1].expect, "-Infinity");
  EXPECT_EQ(others[2].expect, "NaN");
}

TEST(ChecksFile, SaysWhereItIsWrong) {
  struct Case {
    std::string text;
    std::string error;
  };
  const std::string begin = "[[check]]\nname = \"a\"\n";
  const std::string query = begin + "sql = \"SELECT 1\"\n";
  for (const Case& c : std::vector<Case>{
           {"check = 1\n", "f:1: only [[check]] may stand here"},
           {"[check]\nname = \"a\"\n", "f:1: only [[check]] may stand here"},
           {"check = [1]\n", "f:1: a check is a table: [[check]]"},
           {"[[check]]\nsql = \"SELECT 1\"\nexpect = 1\n",
            "f:1: a check without a name"},
           {begin + "expect = 1\n", "f:1: check \"a\": no sql"},
           {query, "f:1: check \"a\": either expect, or min and max"},
           {query + "expect = 1\nmin = 1\n",
            "f:1: check \"a\": either expect, or min and max"},
           {query + "expect = \"x\"\ntolerance = 1\n",
            "f:1: check \"a\": a tolerance needs a number to expect"},
           {query + "min = 1\ntolerance = 1\n",
            "f:1: check \"a\": a tolerance needs a number to expect"},
           {query + "expect = 1\ntolerance = \"5\"\n",
            "f:5: tolerance must be a number, or one with % as a text"},
           {query + "expect = 1\ntolerance = -5\n",
            "f:5: tolerance must be a number, or one with % as a text"},
           {query + "expect = []\n",
            "f:4: expect must be a text, a number or a boolean"},
           {query + "min = \"1\"\n", "f:4: min must be a number"},
           {query + "max = inf\n", "f:4: max must be a number"},
           {query + "expect = nan\ntolerance = 1\n",
            "f:1: check \"a\": a tolerance needs a number to expect"},
           {"[[check]]\nname = 1\n", "f:2: name must be a text"},
           {query + "exspect = 1\n", "f:4: unknown key \"exspect\" of a check"},
       }) {
    EXPECT_THAT(ParseChecks(c.text, "f"),
                StatusIs(absl::StatusCode::kInvalidArgument, c.error))
        << c.text;
  }
  EXPECT_EQ(HintOf(ParseChecks(query + "exspect = 1\n", "f").status()),
            "did you mean expect?");
  EXPECT_EQ(ParseChecks("[[", "f").status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(ReadChecksFile("/nowhere/checks.toml"),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "cannot read /nowhere/checks.toml: No such file or "
                       "directory"));
}

}  // namespace
}  // namespace walferry
