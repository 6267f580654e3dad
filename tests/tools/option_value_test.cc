#include "tools/option_value.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// The value as text, or "error; hint".
std::string Parse(OptionId id, const std::string& text) {
  const absl::StatusOr<OptionValue> value =
      ParseOptionValue(SpecOf(id), {text});
  if (value.ok()) return ToText(*value);
  std::string error(value.status().message());
  const std::string hint = HintOf(value.status());
  return hint.empty() ? error : error + "; " + hint;
}

TEST(OptionValue, ReadsSizesAsPowersOf1024) {
  for (const char* text :
       {"64MiB", "64MB", "64M", "64 mib", "67108864", "65536k", "67108864B"}) {
    EXPECT_EQ(Parse(OptionId::kMemory, text), "64MiB") << text;
  }
  EXPECT_EQ(Parse(OptionId::kLagThreshold, "5000"), "5000");
  EXPECT_EQ(Parse(OptionId::kLagThreshold, "2TiB"), "2TiB");
}

TEST(OptionValue, RefusesSizesThatAreNone) {
  const std::string error =
      "must be a size from 64MiB to 64GiB (such as 64MiB), not ";
  for (std::string text :
       {"", "MiB", "-1MiB", "1.5GiB", "64MiBs", "64 m b",
        "99999999999999999999", "17179869184GiB", "67108863", "65GiB"}) {
    EXPECT_EQ(Parse(OptionId::kMemory, text), error + '"' + text + '"');
  }
  EXPECT_EQ(
      Parse(OptionId::kMemory, "128"),
      error + "\"128\"; without a unit it is bytes; did you mean 128MiB?");
}

TEST(OptionValue, ReadsDurations) {
  EXPECT_EQ(Parse(OptionId::kPollInterval, "500ms"), "500ms");
  EXPECT_EQ(Parse(OptionId::kRetryFor, "1h30m"), "1h30m");
  EXPECT_EQ(Parse(OptionId::kRetryFor, "90m"), "1h30m");
  EXPECT_EQ(Parse(OptionId::kRetryFor, "0"), "0");
}

TEST(OptionValue, RefusesDurationsThatAreNone) {
  const std::string error =
      "must be a duration from 10ms to 1m (such as 30s), not ";
  for (std::string text : {"", "s", "-1s", "inf", "9ms", "61s", "1 s"}) {
    EXPECT_EQ(Parse(OptionId::kPollInterval, text), error + '"' + text + '"');
  }
  EXPECT_EQ(Parse(OptionId::kPollInterval, "5"),
            error + "\"5\"; give a unit: 5s is seconds, 5m minutes");
}

TEST(OptionValue, ReadsIntegersWithinTheirRange) {
  EXPECT_EQ(Parse(OptionId::kJobs, "256"), "256");
  for (std::string text :
       {"0", "257", "-1", "4.0", "four", "", "0x10", "99999999999999999999"}) {
    EXPECT_EQ(Parse(OptionId::kJobs, text),
              "must be a whole number from 1 to 256, not \"" + text + "\"");
  }
}

TEST(OptionValue, ReadsFlags) {
  for (const char* text : {"true", "on", "YES", "1"}) {
    EXPECT_EQ(Parse(OptionId::kNoOwner, text), "true");
  }
  for (const char* text : {"false", "Off", "no", "0"}) {
    EXPECT_EQ(Parse(OptionId::kNoOwner, text), "false");
  }
  EXPECT_EQ(Parse(OptionId::kNoOwner, "maybe"),
            "must be true or false, not \"maybe\"");
}

TEST(OptionValue, ReadsChoicesAndSuggestsTheNearest) {
  EXPECT_EQ(Parse(OptionId::kFreeze, "read-only"), "read-only");
  EXPECT_EQ(Parse(OptionId::kFreeze, "readonly"),
            "must be none or read-only, not \"readonly\"; did you mean "
            "read-only?");
  EXPECT_EQ(Parse(OptionId::kCutover, ""), "must be manual or auto, not \"\"");
}

TEST(OptionValue, ReadsNames) {
  EXPECT_EQ(Parse(OptionId::kName, "a_2"), "a_2");
  EXPECT_EQ(Parse(OptionId::kName, std::string(40, 'a')), std::string(40, 'a'));
  for (std::string text : {std::string(41, 'a'), std::string("A"),
                           std::string("a-b"), std::string("")}) {
    EXPECT_EQ(
        Parse(OptionId::kName, text),
        "must be 1 to 40 characters of a-z, 0-9 and _, not \"" + text + "\"");
  }
}

TEST(OptionValue, ReadsPositions) {
  EXPECT_EQ(Parse(OptionId::kUntilLsn, "16/b374d848"), "16/B374D848");
  EXPECT_EQ(Parse(OptionId::kUntilLsn, "16"),
            "must be a log position (such as 16/B374D848), not \"16\"");
}

TEST(OptionValue, DoesNotRepeatASecret) {
  EXPECT_EQ(ParseOptionValue(SpecOf(OptionId::kSource), {""}).status(),
            absl::InvalidArgumentError("must be a text that is not empty"));
}

TEST(OptionValue, RefusesAnOptionGivenTwice) {
  EXPECT_THAT(
      ParseOptionValue(SpecOf(OptionId::kJobs), {"1", "2"}),
      StatusIs(absl::StatusCode::kInvalidArgument, "must be given once"));
}

TEST(OptionValue, ReadsListsElementByElement) {
  const OptionSpec& table = SpecOf(OptionId::kTable);
  ASSERT_OK_AND_ASSIGN(const OptionValue value,
                       ParseOptionValue(table, {"a.b", "[xy]*"}));
  EXPECT_EQ(ToText(value), "a.b,[xy]*");
  EXPECT_THAT(ParseOptionValue(table, {"a", ""}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       "must not hold an empty element"));
}

TEST(SplitListText, DividesAtCommas) {
  EXPECT_THAT(SplitListText("a, b ,,c"), testing::ElementsAre("a", "b", "c"));
  EXPECT_THAT(SplitListText(" "), testing::IsEmpty());
}

}  // namespace
}  // namespace walferry
