#include "engine/server/database_pool.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"

namespace walferry {
namespace {

// Passes on all but the end: the work is done when it has returned, and not
// when a part of it says that it is done.
class EventsBeforeTheEnd : public EventSink {
 public:
  explicit EventsBeforeTheEnd(EventSink& events) : events_(events) {}

  void OnEvent(const Event& event) override {
    if (std::holds_alternative<Done>(event)) return;
    if (std::holds_alternative<Failed>(event)) return;
    events_.OnEvent(event);
  }

 private:
  EventSink& events_;
};

class DatabasePool {
 public:
  DatabasePool(
      const std::vector<std::string>& databases, const Interrupt& interrupt,
      absl::FunctionRef<absl::StatusOr<Report>(size_t, EventSink&)> work,
      ServerEventSink& events)
      : databases_(databases),
        interrupt_(interrupt),
        work_(work),
        events_(events),
        reports_(databases.size()) {
    for (size_t place = 0; place < databases.size(); ++place) {
      reports_[place] = {.database = databases[place],
                         .status = absl::CancelledError("not begun")};
    }
  }

  std::vector<DatabaseReport> Run(const DatabasePoolOptions& options,
                                  absl::FunctionRef<void(int64_t)> tick) {
    const size_t workers =
        std::min(static_cast<size_t>(options.max_parallel), databases_.size());
    {
      absl::MutexLock lock(&mutex_);
      running_ = workers;
    }
    std::vector<std::jthread> threads;
    for (size_t worker = 0; worker < workers; ++worker) {
      threads.emplace_back([this] { Work(); });
    }
    while (!WaitForEnd(options.tick)) tick(done_.load());
    threads.clear();
    return std::move(reports_);
  }

 private:
  void Work() {
    while (true) {
      size_t place = 0;
      {
        absl::MutexLock lock(&mutex_);
        if (next_ == databases_.size() || interrupt_.raised()) {
          --running_;
          return;
        }
        place = next_++;
      }
      RunOne(reports_[place], place);
    }
  }

  void RunOne(DatabaseReport& report, size_t place) {
    const absl::Time began = absl::Now();
    DatabaseEvents events(report.database, events_);
    EventsBeforeTheEnd before(events);
    absl::StatusOr<Report> done = work_(place, before);
    report.status = done.status();
    if (done.ok()) {
      report.report = *std::move(done);
      ++done_;
    }
    report.phases = events.times();
    report.usable = events.usable();
    report.ended = absl::Now();
    report.elapsed = report.ended - began;
    if (report.status.ok()) {
      events.OnEvent(Done{report.report});
    } else {
      events.OnEvent(Failed{.phase = events.phase(), .status = report.status});
    }
  }

  bool WaitForEnd(absl::Duration wait) {
    absl::MutexLock lock(&mutex_);
    const auto ended = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return running_ == 0;
    };
    return mutex_.AwaitWithTimeout(absl::Condition(&ended), wait);
  }

  const std::vector<std::string>& databases_;
  const Interrupt& interrupt_;
  const absl::FunctionRef<absl::StatusOr<Report>(size_t, EventSink&)> work_;
  ServerEventSink& events_;
  // Each is written by the thread that has taken its place.
  std::vector<DatabaseReport> reports_;
  std::atomic<int64_t> done_ = 0;

  absl::Mutex mutex_;
  size_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t running_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace

std::vector<DatabaseReport> RunDatabases(
    const std::vector<std::string>& databases,
    const DatabasePoolOptions& options, const Interrupt& interrupt,
    absl::FunctionRef<absl::StatusOr<Report>(size_t place, EventSink& events)>
        work,
    absl::FunctionRef<void(int64_t)> tick, ServerEventSink& events) {
  return DatabasePool(databases, interrupt, work, events).Run(options, tick);
}

}  // namespace walferry
