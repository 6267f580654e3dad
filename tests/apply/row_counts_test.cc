#include "apply/row_counts.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/apply/table_builder.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RowCountsTest : public ::testing::Test {
 protected:
  void Insert(std::vector<Column> row) {
    counts_.Insert(rows_.Add(row));
    ++changes_;
  }
  void Delete(std::vector<Column> row) {
    counts_.Delete(rows_.Add(row));
    ++changes_;
  }
  void Insert(absl::string_view a) { Insert(Row(a)); }
  void Delete(absl::string_view a) { Delete(Row(a)); }
  static std::vector<Column> Row(absl::string_view a) {
    return {TextValue(a), TextValue("generated"), TextValue("c")};
  }

  // "a -2 +1": two to be deleted, one to be inserted.
  std::vector<std::string> Left() {
    std::vector<std::string> left;
    size_t changes = 0;
    for (const RowCounts::Count& count : counts_.counts()) {
      changes += count.changes;
      left.push_back(absl::StrCat(count.row[0].value, " -", count.deletes, " +",
                                  count.inserts));
    }
    EXPECT_EQ(changes, changes_);
    return left;
  }

  void Clear() {
    counts_.Clear();
    changes_ = 0;
  }
  RowCounts& counts() { return counts_; }

 private:
  Rows rows_;
  size_t changes_ = 0;
  RowCounts counts_{{0, 2}};
};

TEST_F(RowCountsTest, DeletesTakeBackInserts) {
  EXPECT_TRUE(counts().empty());
  Insert("a");
  Insert("b");
  Insert("a");
  Delete("a");
  EXPECT_FALSE(counts().empty());
  EXPECT_THAT(Left(), ElementsAre("a -0 +1", "b -0 +1"));
  Delete("a");
  Delete("a");
  Insert("c");
  EXPECT_THAT(Left(), ElementsAre("a -1 +0", "b -0 +1", "c -0 +1"));
}

// Otherwise nobody would notice that the target has no such row.
TEST_F(RowCountsTest, AnInsertTakesBackNoDelete) {
  Delete("a");
  Insert("a");
  EXPECT_THAT(Left(), ElementsAre("a -1 +1"));
  Delete("a");
  Insert("a");
  EXPECT_THAT(Left(), ElementsAre("a -1 +1"));
  Delete("a");
  Delete("a");
  EXPECT_THAT(Left(), ElementsAre("a -2 +0"));
}

TEST_F(RowCountsTest, InsertsAloneAreNotCompared) {
  Insert("a");
  Insert("a");
  EXPECT_THAT(Left(), ElementsAre("a -0 +1", "a -0 +1"));
}

TEST_F(RowCountsTest, OnlyTheColumnsGivenCount) {
  Insert({TextValue("a"), TextValue("x"), TextValue("c")});
  Delete({TextValue("a"), NullValue(), TextValue("c")});
  EXPECT_THAT(Left(), ElementsAre("a -0 +0"));
  Delete({TextValue("a"), NullValue(), TextValue("d")});
  EXPECT_THAT(Left(), ElementsAre("a -0 +0", "a -1 +0"));
}

TEST_F(RowCountsTest, NullIsNoEmptyValue) {
  Insert({TextValue("a"), NullValue(), TextValue("")});
  Delete({TextValue("a"), NullValue(), NullValue()});
  EXPECT_THAT(Left(), ElementsAre("a -0 +1", "a -1 +0"));
}

TEST_F(RowCountsTest, ClearForgetsAll) {
  for (int row = 0; row < 5000; ++row) Delete("a");
  Insert("b");
  Clear();
  EXPECT_TRUE(counts().empty());
  Insert("a");
  Insert("a");
  EXPECT_THAT(Left(), ElementsAre("a -0 +1", "a -0 +1"));
}

}  // namespace
}  // namespace walferry
