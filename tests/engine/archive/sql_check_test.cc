#include "engine/archive/sql_check.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

SqlCheck Expect(const std::string& value) {
  return {.name = "n", .sql = "s", .expect = value};
}

TEST(SqlCheck, ComparesNumbersAsNumbersAndTheRestAsText) {
  EXPECT_TRUE(Satisfies(Expect("12"), "12"));
  EXPECT_TRUE(Satisfies(Expect("12.5"), "12.50"));
  EXPECT_TRUE(Satisfies(Expect("t"), "t"));
  EXPECT_FALSE(Satisfies(Expect("t"), "true"));
  EXPECT_FALSE(Satisfies(Expect("12"),
                         "12 "
                         "x"));
  // As doubles they would be the same.
  EXPECT_FALSE(Satisfies(Expect("9007199254740993"), "9007199254740992"));
  EXPECT_EQ(ExpectationText(Expect("12")), "12");
}

TEST(SqlCheck, LeavesRoomAroundWhatIsExpected) {
  SqlCheck check = Expect("200");
  check.tolerance = 5;
  EXPECT_TRUE(Satisfies(check, "205"));
  EXPECT_FALSE(Satisfies(check, "194"));
  EXPECT_FALSE(Satisfies(check, "many"));
  EXPECT_EQ(ExpectationText(check), "200, give or take 5");
  check.tolerance_in_percent = true;
  EXPECT_TRUE(Satisfies(check, "190"));
  EXPECT_FALSE(Satisfies(check, "211"));
  EXPECT_EQ(ExpectationText(check), "200, give or take 5%");
  check.expect = "-200";
  EXPECT_TRUE(Satisfies(check, "-210"));
}

TEST(SqlCheck, KnowsBounds) {
  SqlCheck check = {.name = "n", .sql = "s", .minimum = 3};
  EXPECT_EQ(ExpectationText(check), "at least 3");
  EXPECT_TRUE(Satisfies(check, "3"));
  EXPECT_FALSE(Satisfies(check, "2.9"));
  check.maximum = 9;
  EXPECT_EQ(ExpectationText(check), "at least 3 and at most 9");
  EXPECT_FALSE(Satisfies(check, "10"));
  EXPECT_FALSE(Satisfies(check, ""));
  EXPECT_FALSE(Satisfies(check, "NaN"));
}

}  // namespace
}  // namespace walferry
