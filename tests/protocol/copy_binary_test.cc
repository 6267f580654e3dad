#include "protocol/copy_binary.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/random_bytes.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

using Views = std::vector<std::optional<absl::string_view>>;

Wire Header(uint32_t flags = 0, absl::string_view extension = "") {
  return Wire()
      .Bytes("PGCOPY\n\xff\r\n")
      .Byte('\0')
      .Int32(flags)
      .Counted(extension);
}

// Reads to the end; the status of what stopped it.
absl::Status ReadAll(absl::string_view bytes, std::vector<Views>* rows) {
  absl::StatusOr<CopyBinaryReader> reader = CopyBinaryReader::Open(bytes);
  if (!reader.ok()) return reader.status();
  Views fields;
  while (true) {
    const absl::StatusOr<bool> more = reader->Next(&fields);
    if (!more.ok() || !*more) return more.status();
    rows->push_back(fields);
  }
}

TEST(CopyBinaryReader, ReadsRowsUpToTheTrailer) {
  const std::string bytes =
      Header().Int16(3).Counted("ab").Int32(~0u).Counted("").Int16(0).Int16(
          0xffff);
  std::vector<Views> rows;
  EXPECT_EQ(ReadAll(bytes, &rows), absl::OkStatus());
  EXPECT_EQ(rows, (std::vector<Views>{{"ab", std::nullopt, ""}, {}}));
}

TEST(CopyBinaryReader, ReadsAsManyFieldsAsTheCountCanSay) {
  Wire wire = Header().Int16(0x7fff);
  for (int field = 0; field < 0x7fff; ++field) wire.Int32(~0u);
  std::vector<Views> rows;
  EXPECT_EQ(ReadAll(wire.Int16(0xffff).str(), &rows), absl::OkStatus());
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows[0].size(), 0x7fff);
}

TEST(CopyBinaryReader, StaysAtTheTrailer) {
  const std::string bytes = Header().Int16(0xffff);
  absl::StatusOr<CopyBinaryReader> reader = CopyBinaryReader::Open(bytes);
  ASSERT_TRUE(reader.ok()) << reader.status();
  Views fields = {"left over"};
  for (int time = 0; time < 2; ++time) {
    EXPECT_FALSE(*reader->Next(&fields));
    EXPECT_TRUE(fields.empty());
  }
}

TEST(CopyBinaryReader, SkipsWhatItMayIgnore) {
  const std::string bytes =
      Header(0xffff, "extension").Int16(1).Counted("x").Int16(0xffff);
  std::vector<Views> rows;
  EXPECT_EQ(ReadAll(bytes, &rows), absl::OkStatus());
  EXPECT_EQ(rows, (std::vector<Views>{{"x"}}));
}

TEST(CopyBinaryReader, SaysWhatIsWrongAndWhere) {
  struct Case {
    std::string bytes;
    std::string error;
  };
  const std::vector<Case> kCases = {
      {"", "COPY binary header: malformed at offset 0 of 0"},
      {"1\tx\n1\tx\n1\tx\n",
       "COPY binary header: no signature at offset 0 of 12"},
      {Header(0x10000),
       "COPY binary header: unknown critical flags at offset "
       "11 of 19"},
      {Header(0x80000000),
       "COPY binary header: unknown critical flags at offset 11 of 19"},
      {Wire().Bytes(Header().str().substr(0, 15)).Int32(1),
       "COPY binary header: malformed at offset 19 of 19"},
      {Wire().Bytes(Header().str().substr(0, 15)).Int32(~0u),
       "COPY binary header: malformed at offset 19 of 19"},
      {Header(), "COPY binary row: malformed at offset 19 of 19"},
      {Header().Int16(0xfffe),
       "COPY binary row: negative field count at offset 19 of 21"},
      {Header().Int16(0x8000),
       "COPY binary row: negative field count at offset 19 of 21"},
      {Header().Int16(1), "COPY binary row: malformed at offset 21 of 21"},
      {Header().Int16(1).Int32(0xfffffffe).Bytes("x"),
       "COPY binary row: malformed at offset 25 of 26"},
      {Header().Int16(1).Int32(2).Bytes("x"),
       "COPY binary row: malformed at offset 25 of 26"},
      {Header().Int16(1).Counted("x"),
       "COPY binary row: malformed at offset 26 of 26"},
      {Header().Int16(0xffff).Byte('x'),
       "COPY binary trailer: trailing bytes at offset 21 of 22"},
  };
  for (const Case& test : kCases) {
    std::vector<Views> rows;
    const absl::Status status = ReadAll(test.bytes, &rows);
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(status.message(), test.error);
  }
}

TEST(CopyBinaryReader, RejectsEveryProperPrefix) {
  const std::string whole =
      Header(0, "e").Int16(2).Counted("ab").Int32(~0u).Int16(0xffff);
  for (size_t size = 0; size < whole.size(); ++size) {
    const std::vector<char> cut(whole.begin(), whole.begin() + size);
    std::vector<Views> rows;
    EXPECT_FALSE(ReadAll(absl::string_view(cut.data(), size), &rows).ok())
        << "cut to " << size << " of " << whole.size() << " bytes";
  }
}

TEST(CopyBinary, WritesWhatServersWrite) {
  std::string out;
  AppendCopyBinaryHeader(&out);
  AppendCopyBinaryRow(Views{"ab", std::nullopt, ""}, &out);
  AppendCopyBinaryTrailer(&out);
  EXPECT_EQ(out, Header()
                     .Int16(3)
                     .Counted("ab")
                     .Int32(~0u)
                     .Counted("")
                     .Int16(0xffff)
                     .str());
}

TEST(CopyBinary, RoundTripsRandomRows) {
  const uint64_t seed = std::random_device()();
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937_64 random(seed);
  std::vector<std::vector<std::optional<std::string>>> rows(1000);
  std::string out;
  AppendCopyBinaryHeader(&out);
  for (auto& row : rows) {
    row.resize(random() % 6);
    for (auto& field : row) field = RandomField(random, 40, {"\xff\0\1", 3});
    AppendCopyBinaryRow(Views(row.begin(), row.end()), &out);
  }
  AppendCopyBinaryTrailer(&out);

  std::vector<Views> back;
  ASSERT_EQ(ReadAll(out, &back), absl::OkStatus());
  ASSERT_EQ(back.size(), rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    ASSERT_EQ(back[row], Views(rows[row].begin(), rows[row].end()));
  }
}

}  // namespace
}  // namespace walferry
