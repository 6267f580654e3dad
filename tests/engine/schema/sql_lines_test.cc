#include "engine/schema/sql_lines.h"

#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

// "N kind: line" of each line.
std::vector<std::string> Lines(const std::string& text) {
  SqlLines lines(text);
  std::vector<std::string> seen;
  while (true) {
    const SqlLines::Kind kind = lines.Next();
    std::string name;
    switch (kind) {
      case SqlLines::Kind::kEnd:
        return seen;
      case SqlLines::Kind::kText:
        name = "text";
        break;
      case SqlLines::Kind::kComment:
        name = "comment";
        break;
      case SqlLines::Kind::kPsqlCommand:
        name = "psql";
        break;
      case SqlLines::Kind::kMalformed:
        name = "malformed";
        break;
    }
    seen.push_back(std::to_string(lines.number()) + " " + name + ": " +
                   std::string(lines.line()));
  }
}

TEST(SqlLines, TellsTextCommentsAndPsqlCommands) {
  EXPECT_THAT(Lines("SELECT 1;\n\n-- it's\n\\connect x\nend"),
              ElementsAre("1 text: SELECT 1;", "2 text: ", "3 comment: -- it's",
                          "4 psql: \\connect x", "5 text: end"));
}

TEST(SqlLines, DoesNotCutInsideQuotesAndComments) {
  const std::vector<std::string> whole = {
      "'a\n--'",
      "'it''s\n\\x'",
      "'ends in a backslash\\'",
      "E'it\\'s\n'",
      "e'\\\\'",
      "\"a\nb\"\"\n\"",
      "$$a\n'$$",
      "$x$ $$ $y$ \n $x$",
      "$\xc3\xa9$\n$\xc3\xa9$",
      "/* a /* b\n */ ' \n*/",
      "a$$b",  // No quote begins inside a word.
      "name'\n'",
      "$1 + $2",
      "a - - b",
      "a -- it's a comment",
      "a / b * c",
  };
  for (const std::string& text : whole) {
    EXPECT_THAT(Lines(text + "\nnext"),
                ElementsAre("1 text: " + text, testing::EndsWith("text: next")))
        << text;
  }
}

TEST(SqlLines, CountsTheLinesInsideQuotes) {
  EXPECT_THAT(Lines("'\n\n'\nb"), ElementsAre("1 text: '\n\n'", "4 text: b"));
}

TEST(SqlLines, RefusesWhatDoesNotEndAndStrayBackslashes) {
  for (const std::string text : {"'", "'''", "E'\\'", "\"a", "$$ $x$", "$x$ $x",
                                 "/* /* */", "/*/", "a \\connect b", "1;\\q"}) {
    EXPECT_THAT(Lines(text), ElementsAre("1 malformed: " + text));
  }
}

}  // namespace
}  // namespace walferry
