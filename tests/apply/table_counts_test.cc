#include "apply/table_counts.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace walferry {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(TableCounts, AgreeOnlyIfEachKindDoes) {
  TableCounts counts{.decoded = {.inserts = 1, .deletes = 2},
                     .applied = {.inserts = 2, .deletes = 1}};
  EXPECT_FALSE(counts.agree());
  counts.applied = counts.decoded;
  EXPECT_TRUE(counts.agree());
}

TEST(AddTableCounts, ParametersAreAnArrayForEachColumn) {
  const CountsByTable counts = {
      {{"public", "a\"b\\c,{}"},
       {.decoded = {.inserts = 1, .updates = 2, .deletes = 3, .truncates = 4},
        .applied = {.inserts = 5, .updates = 6, .deletes = 7, .truncates = 8}}},
      {{"NULL", ""}, {}}};
  EXPECT_THAT(AddTableCountsParams(counts),
              ElementsAre("{\"NULL\",\"public\"}", "{\"\",\"a\\\"b\\\\c,{}\"}",
                          "{0,1}", "{0,2}", "{0,3}", "{0,4}", "{0,5}", "{0,6}",
                          "{0,7}", "{0,8}"));
  EXPECT_THAT(AddTableCountsParams({}), Each("{}"));
}

}  // namespace
}  // namespace walferry
