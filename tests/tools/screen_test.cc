#include "tools/screen.h"

#include <sstream>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/tools/fake_terminal.h"

namespace walferry {
namespace {

using testing::ElementsAre;

TEST(Screen, PrintsPlainLinesIfNotLive) {
  std::ostringstream out;
  Screen screen(out, false);
  screen.ShowBlock({"block"});
  screen.Print("one\ntwo");
  EXPECT_EQ(out.str(), "one\ntwo\n");
}

TEST(Screen, KeepsTheBlockBelowTheLog) {
  std::ostringstream out;
  Screen screen(out, true);
  screen.Print("first");
  screen.ShowBlock({"copy 10%", "  table a", "  table b"});
  screen.Print("second\nthird");
  EXPECT_THAT(ShownLines(out.str()),
              ElementsAre("first", "second", "third", "copy 10%", "  table a",
                          "  table b"));
  screen.ShowBlock({"copy 20%"});
  EXPECT_THAT(ShownLines(out.str()),
              ElementsAre("first", "second", "third", "copy 20%"));
  screen.Print("fourth");
  screen.ShowBlock({});
  EXPECT_THAT(ShownLines(out.str()),
              ElementsAre("first", "second", "third", "fourth"));
  screen.Print("fifth");
  EXPECT_THAT(ShownLines(out.str()),
              ElementsAre("first", "second", "third", "fourth", "fifth"));
}

TEST(Screen, LeavesNothingOfLongerLines) {
  std::ostringstream out;
  Screen screen(out, true);
  screen.ShowBlock({"a long line"});
  screen.ShowBlock({"short"});
  screen.Print("x");
  EXPECT_THAT(ShownLines(out.str()), ElementsAre("x", "short"));
}

// Lines are written over, never erased first: no moment shows less.
TEST(Screen, RedrawsWithoutErasingFirst) {
  std::ostringstream out;
  Screen screen(out, true);
  screen.ShowBlock({"one", "two"});
  out.str("");
  screen.ShowBlock({"three", "four"});
  EXPECT_EQ(out.str(), "\x1b[2A\rthree\x1b[K\nfour\x1b[K\n\x1b[J");
}

TEST(Screen, WritesNothingForAnEmptyBlock) {
  std::ostringstream out;
  Screen screen(out, true);
  screen.ShowBlock({});
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace walferry
