#ifndef ENGINE_COPY_COPY_PROGRESS_H_
#define ENGINE_COPY_COPY_PROGRESS_H_

// How far a copy is, for people and for the report.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/copy/copy_plan.h"
#include "engine/copy/copy_pool.h"
#include "engine/copy/table_copy.h"
#include "engine/event.h"

namespace walferry {

// Thread-safe. Sizes of tables are known in bytes on disk, copied bytes are
// those of text: totals are corrected by the ratio that finished items had.
class CopyProgress {
 public:
  // `earlier`: what the ledger has already, of all tables. Both vectors
  // outlive this.
  CopyProgress(const std::vector<CopyTask>& tasks,
               const std::vector<CopyItem>& items, int workers,
               int64_t tables_total, const CopyTotals& earlier);

  // `worker` (from 0) begins an item; it counts what it carries in the result.
  CopyCounters& Begin(int worker, const CopyItem& item, absl::Time now);
  // It has committed `rows` rows of it.
  void Finish(int worker, int64_t rows);

  Progress Read(absl::Time now) const;
  CopyTotals totals() const;

 private:
  struct Table {
    int64_t items_left = 0;
    int64_t bytes = 0;  // Committed in this run.
    int64_t rows = 0;
    int64_t bytes_waiting = 0;  // Estimate for items that were not begun.
    absl::Time started = absl::InfiniteFuture();
  };
  struct Worker {
    const CopyItem* item = nullptr;
    CopyCounters counters;
  };
  double Ratio() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::vector<CopyTask>& tasks_;
  const int64_t tables_total_;
  const absl::Time started_ = absl::Now();
  mutable absl::Mutex mutex_;
  CopyTotals totals_ ABSL_GUARDED_BY(mutex_);
  std::vector<Table> tables_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Worker>> workers_ ABSL_GUARDED_BY(mutex_);
  int64_t finished_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t finished_estimate_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_PROGRESS_H_
