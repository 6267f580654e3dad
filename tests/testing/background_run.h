#ifndef TESTS_TESTING_BACKGROUND_RUN_H_
#define TESTS_TESTING_BACKGROUND_RUN_H_

// A migration or a follow on a thread of its own, as a program that embeds the
// engine would run it.

#include <future>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/migration/migration.h"
#include "gtest/gtest.h"
#include "tests/testing/event_recorder.h"
#include "tests/testing/wait_until.h"

namespace walferry {

// Stopped, and waited for, when destroyed.
class BackgroundRun {
 public:
  explicit BackgroundRun(MigrateOptions options)
      : result_(std::async(std::launch::async,
                           [this, options = std::move(options)] {
                             return RunMigration(options, control_, events_);
                           })) {}
  explicit BackgroundRun(FollowOptions options)
      : result_(std::async(std::launch::async,
                           [this, options = std::move(options)] {
                             return RunFollow(options, control_, events_);
                           })) {}
  ~BackgroundRun() {
    control_.RequestStop();
    if (result_.valid()) result_.wait();
  }

  Control& control() { return control_; }
  const EventRecorder& events() const { return events_; }

  // Waits until it has caught up. False: it has ended before, or never does;
  // ASSERT_TRUE(run.CatchesUp()) << run.Stop() says why.
  bool CatchesUp() const {
    WaitUntil([this] { return caught_up() || ended(); });
    return caught_up();
  }

  // Waits until it has ended. One that goes on and on fails the test, and is
  // stopped.
  absl::StatusOr<Report> Result() {
    if (!WaitUntil([this] { return ended(); }, 2 * kTestPatience)) {
      ADD_FAILURE() << "the run does not end";
      control_.RequestStop();
    }
    return result_.get();
  }

  // Tells it to stop, and how it has ended then.
  absl::Status Stop() {
    control_.RequestStop();
    return Result().status();
  }

  bool ended() const {
    return result_.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }

 private:
  bool caught_up() const { return !events_.All<CaughtUp>().empty(); }

  Control control_;
  EventRecorder events_;
  std::future<absl::StatusOr<Report>> result_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_BACKGROUND_RUN_H_
