#include "engine/batch_queue.h"

#include <utility>

namespace walferry {
namespace {

size_t BytesOf(const QueueItem& item) {
  return item.batch == nullptr ? 0 : item.batch->bytes();
}

std::optional<int64_t> CommitTimeOf(const QueueItem& item) {
  if (item.batch == nullptr || item.batch->empty()) return std::nullopt;
  return item.batch->transactions().front().commit_time;
}

}  // namespace

bool BatchQueue::HasRoom() const {
  absl::MutexLock lock(&mutex_);
  return bytes_ < limit_bytes_ || closed_;
}

void BatchQueue::WaitForRoom(absl::Time deadline) const {
  absl::MutexLock lock(&mutex_);
  const auto has_room = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return bytes_ < limit_bytes_ || closed_;
  };
  mutex_.AwaitWithDeadline(absl::Condition(&has_room), deadline);
}

void BatchQueue::Push(QueueItem item) {
  absl::MutexLock lock(&mutex_);
  bytes_ += BytesOf(item);
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
  for (const Popped& popped : popped_) {
    if (popped.commit_time) return popped.commit_time;
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
  popped_.push_back(
      {.bytes = BytesOf(item), .commit_time = CommitTimeOf(item)});
  return item;
}

void BatchQueue::Finished() {
  absl::MutexLock lock(&mutex_);
  bytes_ -= popped_.front().bytes;
  popped_.pop_front();
}

void BatchQueue::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

}  // namespace walferry
