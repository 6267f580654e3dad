#include "apply/row_counts.h"

#include <utility>

namespace walferry {
namespace {

// Memory that is kept from batch to batch.
constexpr size_t kKeptRows = 4096;

}  // namespace

RowCounts::RowCounts(std::vector<size_t> columns)
    : columns_(std::move(columns)) {}

void RowCounts::Insert(absl::Span<const Column> row) {
  if (indexed_) {
    Count& count = Find(row);
    ++count.inserts;
    ++count.changes;
  } else {
    counts_.push_back({.row = row, .deletes = 0, .inserts = 1, .changes = 1});
  }
}

void RowCounts::Delete(absl::Span<const Column> row, size_t changes) {
  Index();
  Count& count = Find(row);
  count.changes += changes;
  if (count.inserts > 0) {
    --count.inserts;
  } else {
    ++count.deletes;
  }
}

void RowCounts::Clear() {
  if (counts_.capacity() > kKeptRows) {
    counts_ = {};
    index_ = {};
  }
  counts_.clear();
  index_.clear();
  indexed_ = false;
}

RowCounts::Count& RowCounts::Find(absl::Span<const Column> row) {
  const auto [entry, is_new] =
      index_.try_emplace({.row = row, .columns = &columns_}, counts_.size());
  if (is_new) counts_.push_back({.row = row});
  return counts_[entry->second];
}

void RowCounts::Index() {
  if (std::exchange(indexed_, true)) return;
  std::vector<Count> inserted;
  inserted.swap(counts_);
  for (const Count& count : inserted) {
    Count& same = Find(count.row);
    same.inserts += count.inserts;
    same.changes += count.changes;
  }
}

}  // namespace walferry
