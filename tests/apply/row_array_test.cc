#include "apply/row_array.h"

#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

std::string Finish(RowArray& array) {
  const PgParam param = array.Finish();
  return std::string(param.data, static_cast<size_t>(param.size));
}

const TargetColumn kId = KeyColumn(TypedColumn("id", "int8"));
const TargetColumn kA = TypedColumn("a", "text");
const TargetColumn kB = TypedColumn("b", "text");

TEST(RowArrayTest, TextRows) {
  const TableMapping table = MapColumns({kId, kA, kB});
  RowArray array = RowArray::OfRows(table, /*binary=*/false);
  const std::vector<Column> key = {TextValue("1"), NullValue(), NullValue()};
  const std::vector<Column> row = {UnchangedValue(), TextValue("x y"),
                                   TextValue("")};
  EXPECT_TRUE(array.Add(key, row));
  EXPECT_TRUE(array.Add(key, {}));
  EXPECT_EQ(array.count(), 2);
  EXPECT_EQ(Finish(array), R"x({"(1,x y,\"\")","(1,,)"})x");
}

// Through array_in and then record_in.
TEST(RowArrayTest, TextIsEscapedTwice) {
  const TableMapping table = MapColumns({kId, kA});
  RowArray array = RowArray::OfRows(table, /*binary=*/false);
  const std::vector<Column> row = {TextValue("1"), TextValue(R"x(a"b\c,(d))x")};
  EXPECT_TRUE(array.Add(row, row));
  EXPECT_EQ(Finish(array), R"x({"(1,\"a\\\"b\\\\c,(d)\")"})x");
}

TEST(RowArrayTest, TextKeys) {
  const TableMapping table = MapColumns({kA, kId});
  RowArray array = RowArray::OfKeys(table, /*binary=*/false);
  EXPECT_TRUE(array.Add(std::vector<Column>{NullValue(), TextValue("1")}, {}));
  EXPECT_TRUE(
      array.Add(std::vector<Column>{NullValue(), TextValue(R"(a"\b)")}, {}));
  EXPECT_EQ(Finish(array), R"({"1","a\"\\b"})");
}

TEST(RowArrayTest, BinaryRows) {
  const TableMapping table = MapColumns({kId, kA});
  RowArray array = RowArray::OfRows(table, /*binary=*/true);
  const std::vector<Column> row = {BinaryValue("ab"), NullValue()};
  EXPECT_TRUE(array.Add(row, row));
  EXPECT_EQ(absl::BytesToHexString(Finish(array)),
            "00000001"          // One dimension,
            "00000000"          // no flags,
            "00004010"          // of the table's row type,
            "0000000100000001"  // one element, counted from 1:
            "00000016"          // 22 bytes,
            "00000002"          // two columns,
            "00000019000000026162"
            "00000019ffffffff");
}

TEST(RowArrayTest, BinaryKeys) {
  const TableMapping table = MapColumns({kId, kA});
  RowArray array = RowArray::OfKeys(table, /*binary=*/true);
  const std::vector<Column> row = {BinaryValue("ab"), NullValue()};
  EXPECT_TRUE(array.Add(row, {}));
  EXPECT_EQ(absl::BytesToHexString(Finish(array)),
            "000000010000000000000019"
            "0000000100000001"
            "000000026162");
}

// The target makes the values of generated columns, and keeps its own.
TEST(RowArrayTest, ColumnsThatAreNotTheSourcesAreNull) {
  const TableMapping table =
      MapColumns({TypedColumn("own", "text"), kId, GeneratedColumn(kA), kB});
  RowArray array = RowArray::OfRows(table, /*binary=*/false);
  const std::vector<Column> row = {TextValue("1"), TextValue("2"),
                                   TextValue("3")};
  EXPECT_TRUE(array.Add(row, row));
  EXPECT_EQ(Finish(array), R"x({"(,1,,3)"})x");
}

TEST(RowArrayTest, RefusesTheOtherFormat) {
  const TableMapping table = MapColumns({kId, kA});
  const std::vector<Column> row = {TextValue("1"), BinaryValue("2")};
  EXPECT_FALSE(RowArray::OfRows(table, /*binary=*/false).Add(row, row));
  EXPECT_FALSE(RowArray::OfRows(table, /*binary=*/true).Add(row, row));
  EXPECT_FALSE(RowArray::OfKeys(table, /*binary=*/true).Add(row, {}));
}

TEST(RowArrayTest, BeginsAnewWhenCleared) {
  const TableMapping table = MapColumns({kId});
  RowArray array = RowArray::OfKeys(table, /*binary=*/false);
  EXPECT_TRUE(array.Add(std::vector<Column>{TextValue("1")}, {}));
  array.Clear();
  EXPECT_EQ(array.count(), 0);
  EXPECT_TRUE(array.Add(std::vector<Column>{TextValue("2")}, {}));
  EXPECT_EQ(Finish(array), R"({"2"})");
}

}  // namespace
}  // namespace walferry
