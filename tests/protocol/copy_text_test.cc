#include "protocol/copy_text.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/random_bytes.h"

namespace walferry {
namespace {

using Fields = std::vector<std::optional<std::string>>;

Fields RawFields(absl::string_view line) {
  Fields fields;
  for (CopyTextRow row(line); !row.done();) {
    const std::optional<absl::string_view> field = row.Next();
    fields.push_back(field.has_value()
                         ? std::optional<std::string>(std::string(*field))
                         : std::nullopt);
  }
  return fields;
}

std::string Escaped(std::optional<absl::string_view> value) {
  std::string out;
  AppendCopyText(value, &out);
  return out;
}

TEST(CopyTextRow, DividesAtTabs) {
  EXPECT_EQ(RawFields("1\tx y\tz\n"), (Fields{"1", "x y", "z"}));
  EXPECT_EQ(RawFields("1"), (Fields{"1"}));
  EXPECT_EQ(RawFields("\t\n"), (Fields{"", ""}));
  // A row of one empty text; one of no columns looks the same.
  EXPECT_EQ(RawFields("\n"), (Fields{""}));
  EXPECT_EQ(RawFields(""), (Fields{""}));
}

TEST(CopyTextRow, TellsNullFromText) {
  EXPECT_EQ(RawFields("\\N\tN\t\\\\N\t\\NN\t\\n\n"),
            (Fields{std::nullopt, "N", "\\\\N", "\\NN", "\\n"}));
}

TEST(UnescapeCopyText, ReturnsPlainFieldsAsTheyStand) {
  std::string buffer = "untouched";
  const absl::string_view field = "plain N 1";
  const absl::StatusOr<absl::string_view> value =
      UnescapeCopyText(field, &buffer);
  ASSERT_TRUE(value.ok()) << value.status();
  EXPECT_EQ(value->data(), field.data());
  EXPECT_EQ(value->size(), field.size());
  EXPECT_EQ(buffer, "untouched");
}

TEST(UnescapeCopyText, KnowsEveryEscape) {
  struct Case {
    std::string field;
    std::string value;
  };
  const std::vector<Case> kCases = {
      {R"(a\\b)", "a\\b"},
      {R"(\b\f\n\r\t\v)", "\b\f\n\r\t\v"},
      {R"(\N)", "N"},  // Only a whole field is NULL: the row knows.
      {R"(\.)", "."},
      {R"(\q\')", "q'"},
      {R"(\1\12\123\1234)", "\001\012\123\1234"},
      {R"(\377\400)", std::string("\377\0", 2)},
      {R"(\08)", std::string("\0"
                             "8",
                             2)},
      {R"(\x4a\x4A4\xa\xag)",
       "\x4a\x4a"
       "4\n\n"
       "g"},
      {R"(\x39\x90)", "9\x90"},
      {R"(\x\xg)", "xxg"},
      {R"(\\\\N)", "\\\\N"},
      {"\\\x80", "\x80"},
  };
  for (const Case& test : kCases) {
    std::string buffer = "from before";
    const absl::StatusOr<absl::string_view> value =
        UnescapeCopyText(test.field, &buffer);
    ASSERT_TRUE(value.ok()) << test.field << ": " << value.status();
    EXPECT_EQ(*value, test.value) << test.field;
  }
}

TEST(UnescapeCopyText, RefusesWhatServersNeverSend) {
  struct Case {
    std::string field;
    std::string error;
  };
  const std::vector<Case> kCases = {
      {"ab\\", "COPY text field: backslash at the end at offset 2 of 3"},
      {"\\\\\\", "COPY text field: backslash at the end at offset 2 of 3"},
      {"a\tb", "COPY text field: raw tab or newline at offset 1 of 3"},
      {"\\\\\n", "COPY text field: raw tab or newline at offset 2 of 3"},
      {"a\\\tb", "COPY text field: raw tab or newline at offset 2 of 4"},
      {"a\\\nb", "COPY text field: raw tab or newline at offset 2 of 4"},
      {"a\\tb\\", "COPY text field: backslash at the end at offset 4 of 5"},
  };
  for (const Case& test : kCases) {
    std::string buffer;
    const absl::Status status = UnescapeCopyText(test.field, &buffer).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << test.field;
    EXPECT_EQ(status.message(), test.error);
  }
}

TEST(AppendCopyText, EscapesAsServersDo) {
  EXPECT_EQ(Escaped(std::nullopt), "\\N");
  EXPECT_EQ(Escaped(""), "");
  EXPECT_EQ(Escaped("plain"), "plain");
  EXPECT_EQ(Escaped("\\N"), "\\\\N");
  EXPECT_EQ(Escaped("\\."), "\\\\.");
  EXPECT_EQ(Escaped("\b\f\n\r\t\v\\"), R"(\b\f\n\r\t\v\\)");
  EXPECT_EQ(Escaped("a\tb\xc3\xa9"), "a\\tb\xc3\xa9");
}

TEST(AppendCopyText, Appends) {
  std::string out = "1\t";
  AppendCopyText("x", &out);
  EXPECT_EQ(out, "1\tx");
}

TEST(CopyText, RoundTripsEveryByte) {
  for (int byte = 0; byte < 256; ++byte) {
    for (const char* around : {"", "1", "\\", "x", "long enough: "}) {
      const std::string value =
          around + std::string(1, static_cast<char>(byte)) + around;
      std::string buffer;
      const std::string field = Escaped(value);
      EXPECT_EQ(*UnescapeCopyText(field, &buffer), value) << byte;
    }
  }
}

TEST(CopyText, RoundTripsRandomRows) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  for (int round = 0; round < 2000; ++round) {
    Fields fields;
    std::string line;
    for (size_t left = 1 + random() % 6; left > 0; --left) {
      fields.push_back(RandomField(random, 40, "\\\t\n\rNx.01"));
      AppendCopyText(fields.back(), &line);
      line.push_back(left == 1 ? '\n' : '\t');
    }
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    Fields back;
    std::string buffer;
    for (CopyTextRow row(line); !row.done();) {
      const std::optional<absl::string_view> field = row.Next();
      if (!field.has_value()) {
        back.push_back(std::nullopt);
        continue;
      }
      const absl::StatusOr<absl::string_view> value =
          UnescapeCopyText(*field, &buffer);
      ASSERT_TRUE(value.ok()) << value.status();
      back.push_back(std::string(*value));
    }
    ASSERT_EQ(back, fields);
  }
}

}  // namespace
}  // namespace walferry
