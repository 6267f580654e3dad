#include "engine/stream/batch_queue.h"

#include <utility>

namespace walferry {
namespace {

std::optional<int64_t> CommitTimeOf(const QueueItem& item) {
  if (item.batch == nullptr || item.batch->empty()) return std::nullopt;
  return item.batch->transactions().front().commit_time;
}

}  // namespace

bool BatchQueue::HasRoom() const {
  absl::MutexLock lock(&mutex_);
  return HasRoomNow();
}

void BatchQueue::WaitForRoom(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithDeadline(absl::Condition(this, &BatchQueue::HasRoomNow),
                           deadline);
}

void BatchQueue::Push(QueueItem item) {
  absl::MutexLock lock(&mutex_);
  items_.push_back(std::move(item));
}

bool BatchQueue::Idle() const {
  absl::MutexLock lock(&mutex_);
  return items_.empty() && popped_.empty();
}

bool BatchQueue::Wanted() const {
  absl::MutexLock lock(&mutex_);
  return items_.empty() && popped_.size() < appliers_;
}

std::optional<int64_t> BatchQueue::OldestCommitTime() const {
  absl::MutexLock lock(&mutex_);
  for (const std::optional<int64_t>& time : popped_) {
    if (time) return time;
  }
  for (const QueueItem& item : items_) {
    if (const auto time = CommitTimeOf(item)) return time;
  }
  return std::nullopt;
}

std::optional<QueueItem> BatchQueue::Pop() {
  absl::MutexLock lock(&mutex_);
  const auto ready = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return closed_ || !items_.empty();
  };
  mutex_.Await(absl::Condition(&ready));
  if (closed_) return std::nullopt;
  QueueItem item = std::move(items_.front());
  items_.pop_front();
  popped_.push_back(CommitTimeOf(item));
  return item;
}

void BatchQueue::Finished() {
  absl::MutexLock lock(&mutex_);
  popped_.pop_front();
}

void BatchQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace walferry
