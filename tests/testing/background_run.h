#ifndef TESTS_TESTING_BACKGROUND_RUN_H_
#define TESTS_TESTING_BACKGROUND_RUN_H_

// A migration or a follow on a thread of its own, as a program that embeds the
// engine would run it.

#include <future>
#include <memory>
#include <utility>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/migration.h"
#include "tests/testing/event_recorder.h"

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

  // Blocks until it has ended.
  absl::StatusOr<Report> Result() { return result_.get(); }
  bool ended() const {
    return result_.wait_for(std::chrono::seconds(0)) ==
           std::future_status::ready;
  }

 private:
  Control control_;
  EventRecorder events_;
  std::future<absl::StatusOr<Report>> result_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_BACKGROUND_RUN_H_
