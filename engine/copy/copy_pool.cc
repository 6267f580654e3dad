#include "engine/copy/copy_pool.h"

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "engine/connect/old_servers.h"
#include "engine/copy/copy_plan.h"
#include "engine/copy/copy_progress.h"
#include "engine/copy/table_copy.h"
#include "engine/ledger/ledger.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How often the calling thread looks at what only it can see: a request to
// stop, the guard, the time.
constexpr absl::Duration kTick = absl::Milliseconds(50);

// What is left to do, and what earlier runs have done.
struct CopyWork {
  std::vector<CopyTask> tasks;
  CopyTotals earlier;
  int64_t tables = 0;
};

// The rows that the ledger does not have must not be there either: they would
// be somebody else's, and the copy would mix with them.
absl::Status RequireEmpty(PgConnection& target,
                          const std::vector<CopyTask>& tasks) {
  constexpr size_t kTablesPerStatement = 200;
  std::vector<std::string> looks;
  for (size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].done.empty()) {
      looks.push_back(absl::StrCat("SELECT ", i,
                                   " WHERE EXISTS (SELECT FROM ONLY ",
                                   Quote(tasks[i].table.name), " ",
                                   tasks[i].table.config_condition, ")"));
    }
    if (looks.empty() ||
        (looks.size() < kTablesPerStatement && i + 1 < tasks.size())) {
      continue;
    }
    const absl::StatusOr<PgResult> found = target.Exec(
        absl::StrCat(absl::StrJoin(looks, " UNION ALL "), " LIMIT 1"));
    if (!found.ok()) return Annotate(found.status(), "target");
    looks.clear();
    if (found->rows() == 0) continue;
    ASSIGN_OR_RETURN(const int64_t index, found->Int64(0, 0));
    const CatalogTable& table = tasks[static_cast<size_t>(index)].table;
    return WithHint(
        absl::FailedPreconditionError(
            absl::StrCat("target: table ", ToDisplay(table.name),
                         " holds rows that walferry has not copied")),
        absl::StrCat("remove them (DELETE FROM ONLY ", Quote(table.name),
                     table.config_condition.empty() ? "" : " ",
                     table.config_condition,
                     "), or leave the table out with --exclude-table"));
  }
  return absl::OkStatus();
}

absl::StatusOr<CopyWork> ReadWork(PgConnection& target,
                                  const CopyPoolOptions& options,
                                  const CopySessionOptions& session,
                                  const SourceSnapshot& snapshot,
                                  const std::vector<CatalogTable>& tables) {
  Ledger ledger(target, {.schema = session.endpoints.ledger_schema,
                         .migration = session.endpoints.name});
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> rows, ledger.Tables());
  absl::flat_hash_map<QualifiedName, const LedgerTable*> noted;
  for (const LedgerTable& row : rows) noted[row.table] = &row;
  CopyWork work;
  for (const CatalogTable& table : tables) {
    if (!table.copy_data) continue;
    const auto found = noted.find(table.name);
    if (found == noted.end()) {
      return absl::InternalError(absl::StrCat("table ", ToDisplay(table.name),
                                              " is not in the ledger"));
    }
    const LedgerTable& row = *found->second;
    ++work.tables;
    work.earlier.rows += row.rows;
    work.earlier.bytes += row.bytes_copied;
    if (row.copied) {
      ++work.earlier.tables;
      continue;
    }
    if (row.lsn != snapshot.consistent_point()) {
      return absl::InternalError(absl::StrCat(
          "table ", ToDisplay(table.name), " stands at ", row.lsn.ToString(),
          ", not at the snapshot's ", snapshot.consistent_point().ToString()));
    }
    CopyTask task{.table = table, .done = {}};
    ASSIGN_OR_RETURN(task.done, ledger.RangesDone(table.name));
    work.tasks.push_back(std::move(task));
  }
  if (!options.clients_write) RETURN_IF_ERROR(RequireEmpty(target, work.tasks));
  return work;
}

// The workers and what they share.
class CopyPool {
 public:
  CopyPool(const CopyPoolOptions& options, SourceSnapshot& snapshot,
           const CopyWork& work, const std::vector<CopyItem>& items,
           EventSink& events)
      : options_(options),
        session_(options.session),
        snapshot_(snapshot),
        work_(work),
        items_(items),
        events_(events),
        workers_(static_cast<int>(std::min<size_t>(
            items.size(), static_cast<size_t>(std::max(1, options.jobs))))),
        progress_(work.tasks, items, workers_, work.tables, work.earlier) {
    session_.interrupt = &interrupt_;
    for (size_t i = 0; i < work.tasks.size(); ++i) {
      open_items_.push_back(std::make_unique<OpenItems>());
    }
    for (const CopyItem& item : items) {
      OpenItems& open = *open_items_[item.task];
      absl::MutexLock lock(&open.mutex);
      ++open.left;
    }
  }

  // Starts the workers and returns when all have ended.
  absl::Status Run(const Control& control) {
    {
      absl::MutexLock lock(&mutex_);
      running_ = workers_;
    }
    std::vector<std::jthread> threads;
    for (int worker = 0; worker < workers_; ++worker) {
      threads.emplace_back([this, worker] { Work(worker); });
    }
    Watch(control);
    threads.clear();
    events_.OnEvent(progress_.Read(absl::Now()));
    absl::MutexLock lock(&mutex_);
    return failure_;
  }

  CopyTotals totals() const { return progress_.totals(); }

 private:
  void Work(int worker) {
    const absl::Status ended = CopyItems(worker);
    absl::MutexLock lock(&mutex_);
    if (!ended.ok()) Fail(ended);
    --running_;
  }

  absl::Status CopyItems(int worker) {
    absl::StatusOr<TableCopier> copier = TableCopier::Open(
        session_, snapshot_,
        {.min_binary_bytes = MinBinaryBytes(),
         .inserts = options_.inserts,
         .found_tables = options_.found_tables || options_.clients_write});
    if (!copier.ok()) {
      constexpr absl::string_view kTooManyConnections = "53300";
      if (worker == 0 || SqlStateOf(copier.status()) != kTooManyConnections) {
        return copier.status();
      }
      absl::MutexLock lock(&mutex_);
      notices_.push_back(
          absl::StrCat("one worker less copies: ", copier.status().message()));
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(LockDividedTables(*copier));
    while (const CopyItem* item = TakeItem()) {
      CopyCounters& counters = progress_.Begin(worker, *item, absl::Now());
      ASSIGN_OR_RETURN(const int64_t rows,
                       copier->Copy(work_.tasks[item->task].table, *item,
                                    *open_items_[item->task], counters));
      progress_.Finish(worker, rows);
    }
    return absl::OkStatus();
  }

  int64_t MinBinaryBytes() const {
    return options_.binary == BinaryMode::kAuto
               ? options_.min_binary_bytes
               : std::numeric_limits<int64_t>::max();
  }

  // Their items are copied for long and by many: each worker needs the lock
  // before somebody waits for an exclusive one.
  absl::Status LockDividedTables(TableCopier& copier) {
    std::vector<int> items(work_.tasks.size(), 0);
    for (const CopyItem& item : items_) {
      if (++items[item.task] != 2) continue;
      RETURN_IF_ERROR(copier.Lock(work_.tasks[item.task].table));
    }
    return absl::OkStatus();
  }

  const CopyItem* TakeItem() {
    absl::MutexLock lock(&mutex_);
    if (!failure_.ok() || next_ == items_.size()) return nullptr;
    return &items_[next_++];
  }

  void Fail(const absl::Status& failure) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!failure_.ok()) return;
    failure_ = failure;
    failed_at_ = absl::Now();
  }

  // The calling thread's part.
  void Watch(const Control& control) {
    GuardWatch watch(
        snapshot_, options_.waiter_patience,
        [this](uint32_t oid) { return TableOf(oid); }, events_);
    absl::Time next_progress = absl::Now();
    while (!WaitForEnd(kTick)) {
      const absl::Time now = absl::Now();
      if (control.stop_requested()) Stop(absl::CancelledError("stopped"));
      if (now >= next_progress) {
        next_progress = now + options_.progress_interval;
        if (absl::Status guarded = watch.Look(); !guarded.ok()) Stop(guarded);
        Tell(now);
      }
    }
    Tell(absl::InfinitePast());
  }

  // True when no worker runs any more. Interrupts them when an error is older
  // than the grace.
  bool WaitForEnd(absl::Duration wait) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(
        absl::Condition(
            +[](CopyPool* pool) ABSL_EXCLUSIVE_LOCKS_REQUIRED(pool->mutex_) {
              return pool->running_ == 0;
            },
            this),
        wait);
    if (absl::Now() - failed_at_ > options_.error_grace) interrupt_.Raise();
    return running_ == 0;
  }

  void Stop(const absl::Status& why) {
    absl::MutexLock lock(&mutex_);
    Fail(why);
    interrupt_.Raise();
  }

  std::string TableOf(uint32_t oid) const {
    for (const CopyTask& task : work_.tasks) {
      if (task.table.oid == oid) return ToDisplay(task.table.name);
    }
    return "a table";
  }

  void Tell(absl::Time now) {
    std::vector<std::string> notices;
    {
      absl::MutexLock lock(&mutex_);
      notices.swap(notices_);
    }
    for (std::string& text : notices) {
      events_.OnEvent(
          Notice{.level = Notice::Level::kWarning, .text = std::move(text)});
    }
    if (now != absl::InfinitePast()) events_.OnEvent(progress_.Read(now));
  }

  const CopyPoolOptions& options_;
  CopySessionOptions session_;
  SourceSnapshot& snapshot_;
  const CopyWork& work_;
  const std::vector<CopyItem>& items_;
  EventSink& events_;
  const int workers_;
  CopyProgress progress_;
  Interrupt interrupt_;
  std::vector<std::unique_ptr<OpenItems>> open_items_;

  absl::Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status failure_ ABSL_GUARDED_BY(mutex_);
  absl::Time failed_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::vector<std::string> notices_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<CopyTotals> CopyTables(const CopyPoolOptions& options,
                                      SourceSnapshot& snapshot,
                                      const std::vector<CatalogTable>& tables,
                                      const Control& control,
                                      EventSink& events) {
  CopySessionOptions session = options.session;
  session.interrupt = &control.interrupt();
  ASSIGN_OR_RETURN(PgConnection target,
                   OpenCopyTarget(session, snapshot.encoding()));
  ASSIGN_OR_RETURN(const int ended,
                   EndEarlierCopies(target, session.endpoints));
  if (ended > 0) {
    events.OnEvent(Notice{
        .level = Notice::Level::kInfo,
        .text = absl::StrCat("ended ", ended,
                             " sessions that an earlier run left behind")});
  }
  ASSIGN_OR_RETURN(const CopyWork work,
                   ReadWork(target, options, session, snapshot, tables));
  const uint64_t split_bytes =
      HasTidRangeScan(snapshot.connection().server_version())
          ? options.split_bytes
          : std::numeric_limits<uint64_t>::max();
  ASSIGN_OR_RETURN(const std::vector<CopyItem> items,
                   BuildCopyPlan(work.tasks, split_bytes));
  CopyPool pool(options, snapshot, work, items, events);
  RETURN_IF_ERROR(pool.Run(control));
  return pool.totals();
}

}  // namespace walferry
