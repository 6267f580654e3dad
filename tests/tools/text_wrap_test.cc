#include "tools/text_wrap.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(WrapText, BreaksBetweenWords) {
  EXPECT_EQ(WrapText("one two three", "", 7), "one two\nthree\n");
  EXPECT_EQ(WrapText("one two three", "", 6), "one\ntwo\nthree\n");
  EXPECT_EQ(WrapText("one  two\nthree", "", 80), "one two three\n");
}

TEST(WrapText, CountsThePrefix) {
  EXPECT_EQ(WrapText("one two three", "# ", 9), "# one two\n# three\n");
}

TEST(WrapText, KeepsParagraphs) {
  EXPECT_EQ(WrapText("one two\n\nthree", "  ", 5), "  one\n  two\n\n  three\n");
}

TEST(WrapText, GivesALongWordItsOwnLine) {
  EXPECT_EQ(WrapText("a incomprehensible b", "", 5),
            "a\nincomprehensible\nb\n");
}

}  // namespace
}  // namespace walferry
