#include "engine/archive/sql_check.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

SqlCheck Expect(const std::string& value) {
  return {.name = "n", .sql = "s", .expect = value};
}

TEST(IsDecimal, KnowsWhatIsANumber) {
  for (const char* number :
       {"0", "-12", "+1.50", ".5", "5.", "1e9", "2.5E-3", "1e+2"}) {
    EXPECT_TRUE(IsDecimal(number)) << number;
  }
  for (const char* text : {"", "-", ".", "e1", "1e", "1 ", "0x1", "1_0", "NaN",
                           "Infinity", "1.2.3", "--1"}) {
    EXPECT_FALSE(IsDecimal(text)) << text;
  }
}

TEST(ConditionFor, ComparesNumbersAsNumbersAndTheRestAsText) {
  EXPECT_EQ(ConditionFor(Expect("12.5"), "12.50"),
            "'12.50'::numeric = '12.5'::numeric");
  EXPECT_EQ(ConditionFor(Expect("t"), "t"), "true");
  EXPECT_EQ(ConditionFor(Expect("t"), "true"), "false");
  EXPECT_EQ(ConditionFor(Expect("12"), "12 x"), "false");
  EXPECT_EQ(ConditionFor(Expect("NaN"), "NaN"), "true");
  EXPECT_EQ(ConditionFor(Expect("NaN"), "1"), "false");
  EXPECT_EQ(ConditionFor(Expect("Infinity"), "Infinity"), "true");
  EXPECT_EQ(ExpectationText(Expect("12")), "12");
}

TEST(ConditionFor, LeavesRoomAroundWhatIsExpected) {
  SqlCheck check = Expect("200");
  check.tolerance = "5.5";
  EXPECT_EQ(ConditionFor(check, "205"),
            "abs('205'::numeric - '200'::numeric) <= '5.5'::numeric");
  EXPECT_EQ(ConditionFor(check, "many"), "false");
  EXPECT_EQ(ConditionFor(check, "NaN"), "false");
  EXPECT_EQ(ConditionFor(check, "Infinity"), "false");
  EXPECT_EQ(ExpectationText(check), "200, give or take 5.5");
  check.tolerance_in_percent = true;
  EXPECT_EQ(ConditionFor(check, "190"),
            "abs('190'::numeric - '200'::numeric) * 100 <= "
            "abs('200'::numeric) * '5.5'::numeric");
  EXPECT_EQ(ExpectationText(check), "200, give or take 5.5%");
}

TEST(ConditionFor, KnowsBounds) {
  SqlCheck check = {.name = "n", .sql = "s", .minimum = "3"};
  EXPECT_EQ(ExpectationText(check), "at least 3");
  EXPECT_EQ(ConditionFor(check, "2.9"), "'2.9'::numeric >= '3'::numeric");
  EXPECT_EQ(ConditionFor(check, "Infinity"), "true");
  EXPECT_EQ(ConditionFor(check, "-Infinity"), "false");
  check.maximum = "9";
  EXPECT_EQ(ExpectationText(check), "at least 3 and at most 9");
  EXPECT_EQ(ConditionFor(check, "10"),
            "'10'::numeric >= '3'::numeric AND '10'::numeric <= '9'::numeric");
  EXPECT_EQ(ConditionFor(check, "Infinity"), "false");
  for (const char* text : {"", "NaN", "many"}) {
    EXPECT_EQ(ConditionFor(check, text), "false") << text;
  }
}

}  // namespace
}  // namespace walferry
