#ifndef ENGINE_SCHEMA_STEP_POOL_H_
#define ENGINE_SCHEMA_STEP_POOL_H_

// Runs the steps of a queue, several at once.

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "engine/schema/schema_plan.h"
#include "engine/schema/step_queue.h"

namespace walferry {

// Used by one thread.
class StepWorker {
 public:
  virtual ~StepWorker() = default;
  virtual absl::Status Run(const SchemaStep& step) = 0;
};

struct SchemaProgress {
  int64_t done = 0;
  int64_t total = 0;
  std::vector<ActiveItem> active;  // Names and elapsed times.
};

struct StepPoolOptions {
  absl::Duration progress_interval = absl::Seconds(1);
  // Both are called by RunSteps's own thread and may be empty. At changes and
  // every progress_interval; `done` and `total` are the queue's.
  std::function<void(const SchemaProgress&)> on_progress;
  // At once, when a step has failed while others run and are waited for.
  std::function<void(const absl::Status&)> on_failure;
};

struct StepPoolResult {
  absl::Status status;           // The first failure.
  std::vector<size_t> finished;  // Places of the steps that are done.
};

// A thread for each worker, until the queue is empty. After a failure nothing
// new begins, and what runs is waited for.
StepPoolResult RunSteps(const std::vector<SchemaStep>& steps, StepQueue queue,
                        std::vector<std::unique_ptr<StepWorker>> workers,
                        const StepPoolOptions& options);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_STEP_POOL_H_
