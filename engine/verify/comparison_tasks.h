#ifndef ENGINE_VERIFY_COMPARISON_TASKS_H_
#define ENGINE_VERIFY_COMPARISON_TASKS_H_

// Which part of which table is compared next, and when the states that are read
// give way to newer ones.

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"

namespace walferry {

// A piece by its index in the table's cut, or the cutting itself.
struct ComparisonTask {
  size_t table = 0;
  std::optional<size_t> piece;
  int generation = 0;
};

// Thread-safe. Workers take tasks, somebody else renews the states.
class ComparisonTasks {
 public:
  // Each table is to be cut, in their order.
  ComparisonTasks(size_t tables, size_t workers);

  enum class Next {
    kTask,   // To be Done() later.
    kRenew,  // Close the sessions and AwaitRenewal().
    kEnd,
  };
  // Waits while others are at work: there may be something to do then.
  Next Take(ComparisonTask& task);
  void Done();
  void AwaitRenewal();
  void WorkerEnds();

  // Pieces of a table are next, so that few tables are unfinished at any
  // moment. `together`: only all of them in one pair of states tell something.
  void AddPieces(const ComparisonTask& cut, const std::vector<size_t>& pieces,
                 bool together);
  // What was found of the table does not count: it is cut anew in newer states,
  // before all others, as it may soon be written anew once more.
  void Postpone(size_t table);
  // Not postponed since.
  bool IsCurrent(const ComparisonTask& task) const;

  // As soon as what must be read together is read, if anything is left then.
  void WantRenewal();
  // Nobody has a session, and all wait for newer states.
  bool renewal_is_due() const;
  // No task is left: they need not be newer.
  bool nothing_left() const;
  void Renewed();

  void Stop();

 private:
  // One that cannot wait for other states.
  std::optional<ComparisonTask> TakeBegun()
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Begin(const ComparisonTask& task) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  std::deque<ComparisonTask> tasks_ ABSL_GUARDED_BY(mutex_);
  std::deque<ComparisonTask> postponed_ ABSL_GUARDED_BY(mutex_);
  std::vector<int> generations_ ABSL_GUARDED_BY(mutex_);  // By table.
  // Tables whose pieces are read together, and those that were begun with.
  absl::flat_hash_set<size_t> together_ ABSL_GUARDED_BY(mutex_);
  absl::flat_hash_set<size_t> begun_ ABSL_GUARDED_BY(mutex_);
  size_t workers_ ABSL_GUARDED_BY(mutex_);
  size_t busy_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t waiting_ ABSL_GUARDED_BY(mutex_) = 0;  // For a renewal.
  int64_t renewals_ ABSL_GUARDED_BY(mutex_) = 0;
  bool renewal_wanted_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_COMPARISON_TASKS_H_
