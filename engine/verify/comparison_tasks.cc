#include "engine/verify/comparison_tasks.h"

#include "absl/algorithm/container.h"

namespace walferry {

ComparisonTasks::ComparisonTasks(size_t tables, size_t workers)
    : generations_(tables), workers_(workers) {
  for (size_t table = 0; table < tables; ++table) {
    tasks_.push_back({.table = table});
  }
}

ComparisonTasks::Next ComparisonTasks::Take(ComparisonTask& task) {
  const absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopped_ || renewal_wanted_ || !tasks_.empty() || busy_ == 0;
  };
  mutex_.Await(absl::Condition(&ready));
  const bool idle = tasks_.empty() && busy_ == 0;
  if (stopped_ || (idle && postponed_.empty())) return Next::kEnd;
  if (renewal_wanted_ || idle) {
    const std::optional<ComparisonTask> begun = TakeBegun();
    if (!begun.has_value()) {
      renewal_wanted_ = true;
      return Next::kRenew;
    }
    task = *begun;
  } else {
    task = tasks_.front();
    tasks_.pop_front();
  }
  Begin(task);
  return Next::kTask;
}

std::optional<ComparisonTask> ComparisonTasks::TakeBegun() {
  const auto found = absl::c_find_if(
      tasks_,
      [this](const ComparisonTask& task) ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
        return task.piece.has_value() && begun_.contains(task.table);
      });
  if (found == tasks_.end()) return std::nullopt;
  const ComparisonTask task = *found;
  tasks_.erase(found);
  return task;
}

void ComparisonTasks::Begin(const ComparisonTask& task) {
  ++busy_;
  if (task.piece.has_value() && together_.contains(task.table)) {
    begun_.insert(task.table);
  }
}

void ComparisonTasks::Done() {
  const absl::MutexLock lock(&mutex_);
  --busy_;
}

void ComparisonTasks::AwaitRenewal() {
  const absl::MutexLock lock(&mutex_);
  ++waiting_;
  const int64_t before = renewals_;
  const auto renewed = [&]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return stopped_ || renewals_ != before;
  };
  mutex_.Await(absl::Condition(&renewed));
  --waiting_;
}

void ComparisonTasks::WorkerEnds() {
  const absl::MutexLock lock(&mutex_);
  --workers_;
}

void ComparisonTasks::AddPieces(const ComparisonTask& cut,
                                const std::vector<size_t>& pieces,
                                bool together) {
  const absl::MutexLock lock(&mutex_);
  if (together) {
    together_.insert(cut.table);
  } else {
    together_.erase(cut.table);
  }
  for (size_t i = pieces.size(); i-- > 0;) {
    tasks_.push_front(
        {.table = cut.table, .piece = pieces[i], .generation = cut.generation});
  }
}

void ComparisonTasks::Postpone(size_t table) {
  const absl::MutexLock lock(&mutex_);
  std::deque<ComparisonTask> others;
  for (const ComparisonTask& task : tasks_) {
    if (task.table != table) others.push_back(task);
  }
  tasks_ = std::move(others);
  postponed_.push_back({.table = table, .generation = ++generations_[table]});
}

bool ComparisonTasks::IsCurrent(const ComparisonTask& task) const {
  const absl::MutexLock lock(&mutex_);
  return generations_[task.table] == task.generation;
}

void ComparisonTasks::WantRenewal() {
  const absl::MutexLock lock(&mutex_);
  if (!tasks_.empty()) renewal_wanted_ = true;
}

bool ComparisonTasks::renewal_is_due() const {
  const absl::MutexLock lock(&mutex_);
  return renewal_wanted_ && workers_ > 0 && waiting_ == workers_;
}

bool ComparisonTasks::nothing_left() const {
  const absl::MutexLock lock(&mutex_);
  return tasks_.empty() && postponed_.empty();
}

void ComparisonTasks::Renewed() {
  const absl::MutexLock lock(&mutex_);
  tasks_.insert(tasks_.begin(), postponed_.begin(), postponed_.end());
  postponed_.clear();
  begun_.clear();
  renewal_wanted_ = false;
  ++renewals_;
}

void ComparisonTasks::Stop() {
  const absl::MutexLock lock(&mutex_);
  stopped_ = true;
}

}  // namespace walferry
