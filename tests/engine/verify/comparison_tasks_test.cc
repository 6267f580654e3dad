#include "engine/verify/comparison_tasks.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

using Next = ComparisonTasks::Next;

// "2" to cut a table, "2.0" for a piece of it.
std::string Take(ComparisonTasks& tasks, ComparisonTask* taken = nullptr) {
  ComparisonTask task;
  switch (tasks.Take(task)) {
    case Next::kEnd:
      return "end";
    case Next::kRenew:
      return "renew";
    case Next::kTask:
      break;
  }
  if (taken != nullptr) *taken = task;
  return task.piece.has_value() ? absl::StrCat(task.table, ".", *task.piece)
                                : absl::StrCat(task.table);
}

std::string Do(ComparisonTasks& tasks) {
  std::string what = Take(tasks);
  if (what != "end" && what != "renew") tasks.Done();
  return what;
}

// The first table, into pieces.
void Cut(ComparisonTasks& tasks, const std::vector<size_t>& pieces,
         bool together) {
  ComparisonTask cut;
  EXPECT_EQ(Take(tasks, &cut), "0");
  tasks.AddPieces(cut, pieces, together);
  tasks.Done();
}

// As the thread that renews does, once all wait.
void Renew(ComparisonTasks& tasks) {
  std::thread worker([&] { tasks.AwaitRenewal(); });
  EXPECT_TRUE(WaitUntil([&] { return tasks.renewal_is_due(); }));
  tasks.Renewed();
  worker.join();
}

TEST(ComparisonTasks, FinishesATableBeforeTheNext) {
  ComparisonTasks tasks(2, 1);
  Cut(tasks, {3, 5}, /*together=*/false);
  EXPECT_EQ(Do(tasks), "0.3");
  EXPECT_EQ(Do(tasks), "0.5");
  EXPECT_EQ(Do(tasks), "1");
  EXPECT_EQ(Do(tasks), "end");
}

TEST(ComparisonTasks, RangesWaitForNewerStates) {
  ComparisonTasks tasks(1, 1);
  Cut(tasks, {0, 1}, /*together=*/false);
  EXPECT_EQ(Do(tasks), "0.0");
  tasks.WantRenewal();
  EXPECT_FALSE(tasks.renewal_is_due());
  EXPECT_EQ(Do(tasks), "renew");
  Renew(tasks);
  EXPECT_EQ(Do(tasks), "0.1");
  EXPECT_EQ(Do(tasks), "end");
}

// Their sums would be of rows of two states.
TEST(ComparisonTasks, WhatWasBegunByBlocksIsReadToItsEndBefore) {
  ComparisonTasks tasks(2, 1);
  Cut(tasks, {0, 1, 2}, /*together=*/true);
  EXPECT_EQ(Do(tasks), "0.0");
  tasks.WantRenewal();
  EXPECT_EQ(Do(tasks), "0.1");
  EXPECT_EQ(Do(tasks), "0.2");
  EXPECT_EQ(Do(tasks), "renew");
  Renew(tasks);
  EXPECT_EQ(Do(tasks), "1");
  EXPECT_EQ(Do(tasks), "end");
}

TEST(ComparisonTasks, WhatIsPostponedComesInNewerStates) {
  ComparisonTasks tasks(2, 1);
  Cut(tasks, {0, 1}, /*together=*/true);
  ComparisonTask piece;
  EXPECT_EQ(Take(tasks, &piece), "0.0");
  tasks.Postpone(0);
  EXPECT_FALSE(tasks.IsCurrent(piece));
  tasks.Done();
  EXPECT_EQ(Do(tasks), "1");
  EXPECT_FALSE(tasks.nothing_left());
  EXPECT_EQ(Do(tasks), "renew");
  Renew(tasks);
  ComparisonTask again;
  EXPECT_EQ(Take(tasks, &again), "0");
  EXPECT_TRUE(tasks.IsCurrent(again));
  tasks.Done();
  EXPECT_EQ(Do(tasks), "end");
}

TEST(ComparisonTasks, NothingIsRenewedForNothing) {
  ComparisonTasks tasks(1, 1);
  EXPECT_EQ(Do(tasks), "0");
  tasks.WantRenewal();
  EXPECT_EQ(Do(tasks), "end");
}

// A worker that has nothing to do waits for what others may postpone.
TEST(ComparisonTasks, NobodyEndsWhileOthersAreAtWork) {
  ComparisonTasks tasks(1, 2);
  EXPECT_EQ(Take(tasks), "0");
  std::string other;
  std::thread worker([&] { other = Take(tasks); });
  tasks.Postpone(0);
  tasks.Done();
  worker.join();
  EXPECT_EQ(other, "renew");
  EXPECT_FALSE(tasks.renewal_is_due());
}

TEST(ComparisonTasks, StoppingEndsAll) {
  ComparisonTasks tasks(3, 1);
  EXPECT_EQ(Do(tasks), "0");
  tasks.Stop();
  EXPECT_EQ(Do(tasks), "end");
  tasks.AwaitRenewal();
}

}  // namespace
}  // namespace walferry
