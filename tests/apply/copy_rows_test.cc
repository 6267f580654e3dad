#include "apply/copy_rows.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/copy_binary.h"
#include "tests/apply/table_builder.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

TableMapping Table() {
  return MapColumns(
      {TypedColumn("a", "text"), GeneratedColumn(TypedColumn("g", "text")),
       TypedColumn("b", "text")},
      /*full=*/true);
}

TEST(CopyRowsTest, Text) {
  const TableMapping table = Table();
  CopyRows rows(table, /*binary=*/false);
  EXPECT_TRUE(rows.Add(
      std::vector<Column>{TextValue("x\ty\\"), TextValue("g"), NullValue()}));
  EXPECT_TRUE(rows.Add(
      std::vector<Column>{TextValue(""), NullValue(), TextValue("\\.")}));
  rows.End();
  EXPECT_EQ(rows.bytes(), "x\\ty\\\\\t\\N\n\t\\\\.\n");
}

TEST(CopyRowsTest, Binary) {
  const TableMapping table = Table();
  CopyRows rows(table, /*binary=*/true);
  EXPECT_TRUE(rows.Add(
      std::vector<Column>{BinaryValue("x"), BinaryValue("g"), NullValue()}));
  rows.End();
  const std::string bytes(rows.bytes());
  ASSERT_OK_AND_ASSIGN(CopyBinaryReader reader, CopyBinaryReader::Open(bytes));
  std::vector<std::optional<absl::string_view>> fields;
  EXPECT_THAT(reader.Next(&fields), IsOkAndHolds(true));
  EXPECT_THAT(fields, ElementsAre("x", std::nullopt));
  EXPECT_THAT(reader.Next(&fields), IsOkAndHolds(false));
}

TEST(CopyRowsTest, GoesOnBehindWhatWasCleared) {
  const TableMapping table = Table();
  CopyRows rows(table, /*binary=*/false);
  const std::vector<Column> row = {TextValue("x"), NullValue(), NullValue()};
  EXPECT_TRUE(rows.Add(row));
  rows.Clear();
  EXPECT_TRUE(rows.Add(row));
  EXPECT_EQ(rows.bytes(), "x\t\\N\n");
}

TEST(CopyRowsTest, RefusesTheOtherFormat) {
  const TableMapping table = Table();
  const std::vector<Column> row = {TextValue("1"), NullValue(),
                                   BinaryValue("2")};
  EXPECT_FALSE(CopyRows(table, /*binary=*/false).Add(row));
  EXPECT_FALSE(CopyRows(table, /*binary=*/true).Add(row));
}

}  // namespace
}  // namespace walferry
