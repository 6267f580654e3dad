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
    ++Find(row).inserts;
  } else {
    counts_.push_back({.row = row, .deletes = 0, .inserts = 1});
  }
}

void RowCounts::Delete(absl::Span<const Column> row) {
  Index();
  Count& count = Find(row);
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
  for (const Count& count : inserted) Find(count.row).inserts += count.inserts;
}

}  // namespace walferry
