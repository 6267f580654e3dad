#include "engine/copy/copy_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr int64_t kNoEnd = -1;

// What of [0, end of table) is not in `done`.
absl::StatusOr<std::vector<LedgerRange>> Gaps(const CopyTask& task) {
  std::vector<LedgerRange> done = task.done;
  std::sort(done.begin(), done.end(),
            [](const LedgerRange& a, const LedgerRange& b) {
              return a.first_block < b.first_block;
            });
  std::vector<LedgerRange> gaps;
  int64_t next = 0;
  for (const LedgerRange& range : done) {
    if (next == kNoEnd || range.first_block < next) {
      return absl::InternalError(absl::StrCat(
          "table ", ToDisplay(task.table.name),
          ": the ledger's ranges overlap at block ", range.first_block));
    }
    if (range.first_block > next) gaps.push_back({next, range.first_block});
    next = range.end_block;
  }
  if (next != kNoEnd) gaps.push_back({next, kNoEnd});
  if (gaps.empty()) {
    return absl::InternalError(absl::StrCat(
        "table ", ToDisplay(task.table.name),
        ": the ledger has all ranges, but the table is not marked as copied"));
  }
  return gaps;
}

// Cuts one gap into equal pieces of about `blocks_per_item`.
void Cut(const LedgerRange& gap, int64_t table_blocks, int64_t blocks_per_item,
         std::vector<LedgerRange>& ranges) {
  const int64_t end = gap.end_block == kNoEnd ? table_blocks : gap.end_block;
  const int64_t blocks = std::max<int64_t>(0, end - gap.first_block);
  const int64_t pieces =
      std::max<int64_t>(1, (blocks + blocks_per_item / 2) / blocks_per_item);
  int64_t first = gap.first_block;
  for (int64_t piece = 1; piece < pieces; ++piece) {
    const int64_t next = gap.first_block + blocks * piece / pieces;
    ranges.push_back({first, next});
    first = next;
  }
  ranges.push_back({first, gap.end_block});
}

// A table's items, and what decides when they are copied.
struct TablePlan {
  std::vector<CopyItem> items;
  int64_t largest = 0;
  int64_t total = 0;
};

absl::StatusOr<TablePlan> PlanTable(const CopyTask& task, size_t index,
                                    uint64_t split_bytes) {
  const CatalogTable& table = task.table;
  ASSIGN_OR_RETURN(const std::vector<LedgerRange> gaps, Gaps(task));
  const int64_t blocks = std::max<int64_t>(1, table.blocks);
  const double bytes_per_block = std::max(
      1.0, static_cast<double>(table.bytes) / static_cast<double>(blocks));
  std::vector<LedgerRange> ranges = gaps;
  if (IsDivisible(table)) {
    ranges.clear();
    const double wanted = static_cast<double>(split_bytes) / bytes_per_block;
    const auto blocks_per_item = static_cast<int64_t>(
        std::clamp(wanted, 1.0, static_cast<double>(blocks)));
    for (const LedgerRange& gap : gaps) {
      Cut(gap, table.blocks, blocks_per_item, ranges);
    }
  }
  TablePlan plan;
  for (const LedgerRange& range : ranges) {
    const int64_t end =
        range.end_block == kNoEnd ? table.blocks : range.end_block;
    const bool whole = range.first_block == 0 && range.end_block == kNoEnd;
    // Of another access method than heap nobody knows the blocks.
    const auto bytes =
        whole ? table.bytes
              : static_cast<int64_t>(static_cast<double>(std::max<int64_t>(
                                         0, end - range.first_block)) *
                                     bytes_per_block);
    plan.items.push_back({.task = index, .range = range, .bytes = bytes});
    plan.largest = std::max(plan.largest, bytes);
    plan.total += bytes;
  }
  return plan;
}

}  // namespace

bool IsDivisible(const CatalogTable& table) {
  if (table.unlogged || table.key.empty()) return false;
  if (!table.config_condition.empty()) return false;
  const std::vector<std::string> stored = table.StoredColumns();
  return std::all_of(
      table.key.begin(), table.key.end(), [&](const std::string& column) {
        return std::find(stored.begin(), stored.end(), column) != stored.end();
      });
}

absl::StatusOr<std::vector<CopyItem>> BuildCopyPlan(
    const std::vector<CopyTask>& tasks, uint64_t split_bytes) {
  std::vector<TablePlan> plans;
  for (size_t index = 0; index < tasks.size(); ++index) {
    absl::StatusOr<TablePlan> plan =
        PlanTable(tasks[index], index, split_bytes);
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  std::stable_sort(
      plans.begin(), plans.end(), [](const TablePlan& a, const TablePlan& b) {
        return std::pair(a.largest, a.total) > std::pair(b.largest, b.total);
      });
  std::vector<CopyItem> items;
  for (TablePlan& plan : plans) {
    items.insert(items.end(), plan.items.begin(), plan.items.end());
  }
  return items;
}

}  // namespace walferry
