#include "engine/schema/step_queue.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace walferry {

StepQueue::StepQueue(const std::vector<SchemaStep>& steps, SchemaStage stage,
                     const absl::flat_hash_set<std::string>& done)
    : steps_(steps), done_(steps.size()) {
  for (size_t place = 0; place < steps.size(); ++place) {
    done_[place] = done.contains(steps[place].id);
    if (!done_[place] && steps[place].stage == stage) waiting_.push_back(place);
  }
  std::sort(waiting_.begin(), waiting_.end(),
            [&](size_t a, size_t b) { return steps[a].rank < steps[b].rank; });
}

absl::Status StepQueue::Check() const {
  for (const size_t place : waiting_) {
    const SchemaStep& step = steps_[place];
    for (const size_t before : step.after) {
      if (done_[before] || steps_[before].stage == step.stage) continue;
      return absl::InternalError(absl::StrCat(
          step.display, ": ", steps_[before].display, " is not done yet"));
    }
  }
  return absl::OkStatus();
}

bool StepQueue::CanRun(const SchemaStep& step) const {
  for (const size_t before : step.after) {
    if (!done_[before]) return false;
  }
  for (const uint32_t relation : step.relations) {
    const auto users = users_.find(relation);
    if (users == users_.end()) continue;
    if (users->second.exclusive > 0) return false;
    if (step.exclusive && users->second.shared > 0) return false;
  }
  return true;
}

std::optional<size_t> StepQueue::Take() {
  const auto next =
      std::find_if(waiting_.begin(), waiting_.end(),
                   [&](size_t place) { return CanRun(steps_[place]); });
  if (next == waiting_.end()) return std::nullopt;
  const size_t place = *next;
  waiting_.erase(next);
  for (const uint32_t relation : steps_[place].relations) {
    Users& users = users_[relation];
    ++(steps_[place].exclusive ? users.exclusive : users.shared);
  }
  return place;
}

void StepQueue::Finish(size_t step) {
  done_[step] = true;
  for (const uint32_t relation : steps_[step].relations) {
    Users& users = users_[relation];
    --(steps_[step].exclusive ? users.exclusive : users.shared);
  }
}

}  // namespace walferry
