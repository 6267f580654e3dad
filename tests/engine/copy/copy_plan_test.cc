#include "engine/copy/copy_plan.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

// Of blocks of 8 kB, and with a key.
CatalogTable Table(const std::string& name, int64_t blocks) {
  CatalogTable table;
  table.name = {"public", name};
  table.key = {"id"};
  table.columns = {{.name = "id"}, {.name = "sum", .generated = 's'}};
  table.blocks = blocks;
  table.bytes = blocks * 8192;
  return table;
}

// "name first-end" of each item, in the order of the plan.
std::string Plan(const std::vector<CopyTask>& tasks, uint64_t split_bytes) {
  const absl::StatusOr<std::vector<CopyItem>> items =
      BuildCopyPlan(tasks, split_bytes);
  if (!items.ok()) return std::string(items.status().message());
  return absl::StrJoin(
      *items, ", ", [&](std::string* out, const CopyItem& item) {
        absl::StrAppend(out, tasks[item.task].table.name.name, " ",
                        item.range.first_block, "-", item.range.end_block);
      });
}

constexpr uint64_t kTenBlocks = 10 * 8192;

TEST(CopyPlan, ASmallTableIsOneItem) {
  EXPECT_EQ(Plan({{.table = Table("t", 10)}}, kTenBlocks), "t 0--1");
}

TEST(CopyPlan, AnEmptyTableIsOneItem) {
  EXPECT_EQ(Plan({{.table = Table("t", 0)}}, kTenBlocks), "t 0--1");
}

TEST(CopyPlan, NoTablesAreNoItems) { EXPECT_EQ(Plan({}, kTenBlocks), ""); }

TEST(CopyPlan, ALargeTableIsCutIntoEqualRangesAndTheLastHasNoEnd) {
  EXPECT_EQ(Plan({{.table = Table("t", 31)}}, kTenBlocks),
            "t 0-10, t 10-20, t 20--1");
}

TEST(CopyPlan, NoTinyRangeIsLeftOver) {
  EXPECT_EQ(Plan({{.table = Table("t", 12)}}, kTenBlocks), "t 0--1");
  EXPECT_EQ(Plan({{.table = Table("t", 15)}}, kTenBlocks), "t 0-7, t 7--1");
}

TEST(CopyPlan, ValuesOutOfLineCountForTheSizeOfARange) {
  CatalogTable table = Table("t", 4);
  table.bytes = 4 * static_cast<int64_t>(kTenBlocks);
  EXPECT_EQ(Plan({{.table = table}}, kTenBlocks),
            "t 0-1, t 1-2, t 2-3, t 3--1");
}

TEST(CopyPlan, ARangeHasAtLeastOneBlock) {
  EXPECT_EQ(Plan({{.table = Table("t", 3)}}, 1), "t 0-1, t 1-2, t 2--1");
}

TEST(CopyPlan, ATableWithoutKeyIsNotCut) {
  CatalogTable table = Table("t", 1000);
  table.key.clear();
  EXPECT_EQ(Plan({{.table = table}}, kTenBlocks), "t 0--1");
}

TEST(CopyPlan, AnUnloggedTableIsNotCut) {
  CatalogTable table = Table("t", 1000);
  table.unlogged = true;
  EXPECT_EQ(Plan({{.table = table}}, kTenBlocks), "t 0--1");
}

TEST(CopyPlan, ATableWhoseKeyIsGeneratedIsNotCut) {
  CatalogTable table = Table("t", 1000);
  table.key = {"sum"};
  EXPECT_EQ(Plan({{.table = table}}, kTenBlocks), "t 0--1");
}

TEST(CopyPlan, TheTableWithTheLargestItemComesFirstAndItsItemsStayTogether) {
  CatalogTable whole = Table("whole", 25);
  whole.key.clear();
  EXPECT_EQ(Plan({{.table = Table("small", 2)},
                  {.table = Table("cut", 30)},
                  {.table = whole},
                  {.table = Table("larger", 40)}},
                 kTenBlocks),
            "whole 0--1, larger 0-10, larger 10-20, larger 20-30, "
            "larger 30--1, cut 0-10, cut 10-20, cut 20--1, small 0--1");
}

TEST(CopyPlan, OnlyTheGapsBetweenDoneRangesAreLeft) {
  EXPECT_EQ(
      Plan({{.table = Table("t", 60), .done = {{40, 50}, {0, 10}, {30, 40}}}},
           kTenBlocks),
      "t 10-20, t 20-30, t 50--1");
}

TEST(CopyPlan, NothingIsBeyondADoneRangeWithoutEnd) {
  EXPECT_EQ(Plan({{.table = Table("t", 60), .done = {{20, -1}}}}, kTenBlocks),
            "t 0-10, t 10-20");
}

TEST(CopyPlan, AGapBeyondTheEndOfATableThatShrankIsOneItem) {
  EXPECT_EQ(Plan({{.table = Table("t", 5), .done = {{0, 10}}}}, kTenBlocks),
            "t 10--1");
}

TEST(CopyPlan, ATableThatGrewHasMoreItems) {
  EXPECT_EQ(Plan({{.table = Table("t", 41), .done = {{0, 10}}}}, kTenBlocks),
            "t 10-20, t 20-30, t 30--1");
}

TEST(CopyPlan, OverlappingDoneRangesAreAnError) {
  EXPECT_EQ(Plan({{.table = Table("t", 60), .done = {{0, 10}, {9, 20}}}}, 1),
            "table public.t: the ledger's ranges overlap at block 9");
  EXPECT_EQ(Plan({{.table = Table("t", 60), .done = {{0, -1}, {9, 20}}}}, 1),
            "table public.t: the ledger's ranges overlap at block 9");
}

TEST(CopyPlan, ATableOfWhichNothingIsLeftIsAnError) {
  EXPECT_THAT(
      BuildCopyPlan({{.table = Table("t", 60), .done = {{0, 7}, {7, -1}}}}, 1),
      StatusIs(absl::StatusCode::kInternal,
               "table public.t: the ledger has all ranges, but the table is "
               "not marked as copied"));
}

TEST(CopyPlan, BytesOfTheItemsAddUpToTheTable) {
  const CatalogTable table = Table("t", 1000);
  const absl::StatusOr<std::vector<CopyItem>> items =
      BuildCopyPlan({{.table = table}}, kTenBlocks);
  ASSERT_OK(items);
  int64_t bytes = 0;
  for (const CopyItem& item : *items) bytes += item.bytes;
  EXPECT_EQ(bytes, table.bytes);
  EXPECT_EQ(items->size(), 100u);
}

}  // namespace
}  // namespace walferry
