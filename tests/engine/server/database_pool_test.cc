#include "engine/server/database_pool.h"

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

using ::testing::ElementsAre;

// The names of the events that each database has sent.
class NamedEvents : public ServerEventSink {
 public:
  void OnEvent(absl::string_view database, const Event& event) override {
    absl::MutexLock lock(&mutex_);
    std::string name = "other";
    if (std::holds_alternative<Done>(event)) name = "done";
    if (std::holds_alternative<Failed>(event)) name = "failed";
    events_[std::string(database)].push_back(name);
  }
  std::map<std::string, std::vector<std::string>> events() {
    absl::MutexLock lock(&mutex_);
    return events_;
  }

 private:
  absl::Mutex mutex_;
  std::map<std::string, std::vector<std::string>> events_
      ABSL_GUARDED_BY(mutex_);
};

TEST(DatabasePool, GoesOnWithTheOthersWhenOneFails) {
  NamedEvents events;
  const Interrupt interrupt;
  std::atomic<int> at_once = 0;
  std::atomic<bool> too_many = false;
  const std::vector<DatabaseReport> reports = RunDatabases(
      {"a", "b", "c", "d"}, {.max_parallel = 2}, interrupt,
      [&](size_t place, EventSink& sink) -> absl::StatusOr<Report> {
        if (++at_once > 2) too_many = true;
        sink.OnEvent(PhaseStarted{.phase = Phase::kCopy});
        sink.OnEvent(
            PhaseFinished{.phase = Phase::kCopy, .duration = absl::Seconds(2)});
        sink.OnEvent(
            PhaseFinished{.phase = Phase::kCopy, .duration = absl::Seconds(1)});
        --at_once;
        const Report report{.tables = static_cast<int64_t>(place)};
        // The end is told once, and as it was for all of the work.
        if (place == 1 || place == 2) sink.OnEvent(Done{report});
        if (place == 1) return absl::FailedPreconditionError("broken");
        return report;
      },
      [](int64_t) {}, events);
  EXPECT_FALSE(too_many);
  ASSERT_EQ(reports.size(), 4u);
  EXPECT_OK(reports[0].status);
  EXPECT_EQ(reports[1].status.message(), "broken");
  EXPECT_EQ(reports[3].report.tables, 3);
  ASSERT_EQ(reports[0].phases.size(), 1u);
  EXPECT_EQ(reports[0].phases[0].duration, absl::Seconds(3));
  EXPECT_THAT(events.events()["b"],
              ElementsAre("other", "other", "other", "failed"));
  EXPECT_THAT(events.events()["c"],
              ElementsAre("other", "other", "other", "done"));
}

TEST(DatabasePool, BeginsNoneOnceItIsToldToStop) {
  NamedEvents events;
  Interrupt interrupt;
  const std::vector<DatabaseReport> reports = RunDatabases(
      {"a", "b", "c"}, {.max_parallel = 1}, interrupt,
      [&](size_t, EventSink&) -> absl::StatusOr<Report> {
        interrupt.Raise();
        return absl::CancelledError("stopped on request");
      },
      [](int64_t) {}, events);
  EXPECT_EQ(reports[0].status.message(), "stopped on request");
  EXPECT_EQ(reports[2].status, absl::CancelledError("not begun"));
  EXPECT_EQ(events.events().size(), 1u);
}

TEST(DatabasePool, LetsTheCallerLookAfterOtherThings) {
  NamedEvents events;
  const Interrupt interrupt;
  std::atomic<int> ticks = 0;
  RunDatabases(
      {"a"}, {.tick = absl::Milliseconds(1)}, interrupt,
      [&](size_t, EventSink&) -> absl::StatusOr<Report> {
        while (ticks < 3) {
        }
        return Report{};
      },
      [&](int64_t) { ++ticks; }, events);
  EXPECT_GE(ticks, 3);
}

}  // namespace
}  // namespace walferry
