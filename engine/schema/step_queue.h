#ifndef ENGINE_SCHEMA_STEP_QUEUE_H_
#define ENGINE_SCHEMA_STEP_QUEUE_H_

// Decides which step of a stage runs next, so that no two of them wait for each
// other's locks.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "engine/schema/schema_plan.h"

namespace walferry {

// Every step that is taken is finished. Views the steps it is given.
class StepQueue {
 public:
  // The stage's steps that are not in `done` (ids). All of `steps` are given,
  // for what was to be done before.
  StepQueue(const std::vector<SchemaStep>& steps, SchemaStage stage,
            const absl::flat_hash_set<std::string>& done);

  // kInternal: a step needs one of a later or an unfinished stage.
  absl::Status Check() const;

  // The place of a step that can run now, of those the one with the smallest
  // rank; nullopt: none before another is finished, or none is left.
  std::optional<size_t> Take();

  // It is done. One that failed is never finished: what needs it stays.
  void Finish(size_t step);

  size_t waiting() const { return waiting_.size(); }

 private:
  // Of one relation.
  struct Users {
    int shared = 0;
    int exclusive = 0;
  };

  bool CanRun(const SchemaStep& step) const;

  const std::vector<SchemaStep>& steps_;
  std::vector<bool> done_;       // By place.
  std::vector<size_t> waiting_;  // By rank.
  absl::flat_hash_map<uint32_t, Users> users_;
};

}  // namespace walferry

#endif  // ENGINE_SCHEMA_STEP_QUEUE_H_
