#include "tools/value_text.h"

#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(VisibleText, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(VisibleText("caf\xc3\xa9 \xf0\x9f\x98\x80 <b>"),
            "caf\xc3\xa9 \xf0\x9f\x98\x80 <b>");
  EXPECT_EQ(VisibleText("a\nb\tc\rd\x1b[2J\x7f\\n"),
            "a\\nb\\tc\\rd\\x1b[2J\\x7f\\\\n");
  // A blank without width, a mark of direction, a control of Latin-1.
  EXPECT_EQ(VisibleText("a\xe2\x80\x8b\xe2\x80\xae\xc2\x85"),
            "a\\u{200b}\\u{202e}\\u{85}");
  // Not UTF-8, also at its end.
  EXPECT_EQ(VisibleText("caf\xe9 \xff\xc3"), "caf\\xe9 \\xff\\xc3");
}

TEST(VisibleText, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(VisibleText("abcdef", 6), "abcdef");
  EXPECT_EQ(VisibleText("abcdefg", 6), "abcdef... (7 bytes)");
  EXPECT_EQ(VisibleText("abcde\xc3\xa9g", 6), "abcde... (8 bytes)");
}

TEST(VisibleValues, TellsNullFromNothing) {
  const ValuePair values = VisibleValues(std::nullopt, "");
  EXPECT_EQ(values.source, "NULL");
  EXPECT_EQ(values.target, "''");
  EXPECT_EQ(VisibleValues("NULL", "a ").source, "'NULL'");
  EXPECT_EQ(VisibleValues("NULL", "a ").target, "'a '");
}

TEST(VisibleValues, ShowsLongOnesWhereTheyDiffer) {
  const std::string same(5000, 'x');
  const ValuePair values =
      VisibleValues(same + "1" + same, same + "2" + same, 20);
  EXPECT_EQ(values.source, "...'xxxxxxxxxxxxxxxx1xxx'... (10,001 bytes)");
  EXPECT_EQ(values.target, "...'xxxxxxxxxxxxxxxx2xxx'... (10,001 bytes)");
}

TEST(VisibleValues, ShowsWhereTheLongerGoesOn) {
  const std::string same(100, 'x');
  const ValuePair values = VisibleValues(same, same + "y", 20);
  EXPECT_EQ(values.source, "...'xxxxxxxxxxxxxxxx' (100 bytes)");
  EXPECT_EQ(values.target, "...'xxxxxxxxxxxxxxxxy' (101 bytes)");
  EXPECT_EQ(VisibleValues(same, std::nullopt, 20).source,
            "'xxxxxxxxxxxxxxxxxxxx'... (100 bytes)");
}

// The first byte that differs may be in the middle of a character.
TEST(VisibleValues, CutsNoCharacter) {
  std::string same;
  for (int i = 0; i < 50; ++i) same += "\xc3\xa9";
  const ValuePair values =
      VisibleValues(same + "\xc3\xa8", same + "\xc3\xa9", 20);
  EXPECT_THAT(values.source, testing::StartsWith("...'\xc3\xa9"));
  EXPECT_THAT(values.source, testing::EndsWith("\xc3\xa8' (102 bytes)"));
  EXPECT_THAT(values.source + values.target,
              testing::Not(testing::HasSubstr("\\x")));
}

}  // namespace
}  // namespace walferry
