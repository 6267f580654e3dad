#include "engine/copy/copy_progress.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "protocol/quoting.h"

namespace walferry {

CopyProgress::CopyProgress(const std::vector<CopyTask>& tasks,
                           const std::vector<CopyItem>& items, int workers,
                           int64_t tables_total, const CopyTotals& earlier)
    : tasks_(tasks),
      tables_total_(tables_total),
      totals_(earlier),
      tables_(tasks.size()) {
  for (const CopyItem& item : items) {
    Table& table = tables_[item.task];
    ++table.items_left;
    table.bytes_waiting += item.bytes;
  }
  for (int worker = 0; worker < workers; ++worker) {
    workers_.push_back(std::make_unique<Worker>());
  }
}

CopyCounters& CopyProgress::Begin(int worker, const CopyItem& item,
                                  absl::Time now) {
  absl::MutexLock lock(&mutex_);
  Worker& entry = *workers_[static_cast<size_t>(worker)];
  entry.item = &item;
  entry.counters.rows = 0;
  entry.counters.bytes = 0;
  Table& table = tables_[item.task];
  table.bytes_waiting -= item.bytes;
  table.started = std::min(table.started, now);
  return entry.counters;
}

void CopyProgress::Finish(int worker, int64_t rows) {
  absl::MutexLock lock(&mutex_);
  Worker& entry = *workers_[static_cast<size_t>(worker)];
  const int64_t bytes = entry.counters.bytes;
  Table& table = tables_[entry.item->task];
  table.bytes += bytes;
  table.rows += rows;
  if (--table.items_left == 0) ++totals_.tables;
  totals_.bytes += bytes;
  totals_.rows += rows;
  ++totals_.items;
  finished_bytes_ += bytes;
  finished_estimate_ += entry.item->bytes;
  entry.item = nullptr;
}

double CopyProgress::Ratio() const {
  if (finished_estimate_ == 0 || finished_bytes_ == 0) return 1;
  return static_cast<double>(finished_bytes_) /
         static_cast<double>(finished_estimate_);
}

Progress CopyProgress::Read(absl::Time now) const {
  absl::MutexLock lock(&mutex_);
  const double ratio = Ratio();
  Progress progress;
  progress.phase = Phase::kCopy;
  progress.items_done = totals_.tables;
  progress.items_total = tables_total_;
  progress.bytes = totals_.bytes;
  progress.rows = totals_.rows;
  progress.elapsed = now - started_;
  int64_t left = 0;
  for (size_t index = 0; index < tables_.size(); ++index) {
    const Table& table = tables_[index];
    auto table_left =
        static_cast<int64_t>(static_cast<double>(table.bytes_waiting) * ratio);
    ActiveItem active{.name = ToDisplay(tasks_[index].table.name),
                      .bytes = table.bytes,
                      .rows = table.rows,
                      .elapsed = now - table.started};
    bool is_active = false;
    for (const std::unique_ptr<Worker>& worker : workers_) {
      if (worker->item == nullptr || worker->item->task != index) continue;
      is_active = true;
      const int64_t bytes = worker->counters.bytes;
      active.bytes += bytes;
      active.rows += worker->counters.rows;
      progress.bytes += bytes;
      progress.rows += worker->counters.rows;
      table_left += std::max<int64_t>(
          0, static_cast<int64_t>(static_cast<double>(worker->item->bytes) *
                                  ratio) -
                 bytes);
    }
    left += table_left;
    if (!is_active) continue;
    active.bytes_total = active.bytes + table_left;
    progress.active.push_back(std::move(active));
  }
  progress.bytes_total = progress.bytes + left;
  return progress;
}

CopyTotals CopyProgress::totals() const {
  absl::MutexLock lock(&mutex_);
  return totals_;
}

}  // namespace walferry
