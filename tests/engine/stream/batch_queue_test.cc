#include "engine/stream/batch_queue.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>

#include "absl/time/clock.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

std::unique_ptr<ChangeBatch> BatchOf(int64_t commit_time) {
  auto batch = std::make_unique<ChangeBatch>();
  batch->BeginTransaction(
      {.final_lsn = Lsn(1), .commit_time = commit_time, .xid = 1});
  const auto relation =
      std::make_shared<const SourceRelation>(SourceRelation{.columns = {{}}});
  const std::string row = Wire().Int16(1).Text("value");
  ByteCursor in(row);
  batch->AddInsert(relation, Insert{.row = TupleView::Read(in)});
  batch->CommitTransaction(
      {.commit_lsn = Lsn(1), .end_lsn = Lsn(2), .commit_time = commit_time});
  return batch;
}

TEST(BatchQueue, IsIdleOnlyWhenThePoppedItemIsFinished) {
  BatchQueue queue;
  EXPECT_TRUE(queue.Idle());
  queue.Push({.batch = nullptr, .advance = Lsn(5)});
  EXPECT_FALSE(queue.Idle());
  EXPECT_EQ(queue.Pop()->advance, Lsn(5));
  EXPECT_FALSE(queue.Idle());
  queue.Finished();
  EXPECT_TRUE(queue.Idle());
}

TEST(BatchQueue, IsWantedWhileAnApplierIsFree) {
  BatchQueue queue(2);
  EXPECT_TRUE(queue.Wanted());
  queue.Push({.batch = BatchOf(10), .advance = Lsn()});
  EXPECT_FALSE(queue.Wanted());
  const auto first = queue.Pop();
  EXPECT_TRUE(queue.Wanted());
  EXPECT_FALSE(queue.Idle());
  queue.Push({.batch = BatchOf(20), .advance = Lsn()});
  const auto second = queue.Pop();
  EXPECT_FALSE(queue.Wanted());
  EXPECT_EQ(queue.OldestCommitTime(), 10);
  queue.Finished();  // The first.
  EXPECT_TRUE(queue.Wanted());
  EXPECT_EQ(queue.OldestCommitTime(), 20);
  queue.Finished();
  EXPECT_TRUE(queue.Idle());
  EXPECT_EQ(queue.OldestCommitTime(), std::nullopt);
}

TEST(BatchQueue, HasRoomWhileNothingWaits) {
  BatchQueue queue;
  EXPECT_TRUE(queue.HasRoom());
  queue.Push({.batch = BatchOf(1), .advance = Lsn()});
  EXPECT_FALSE(queue.HasRoom());
  queue.WaitForRoom(absl::Now());  // Returns at its deadline.
  const auto popped = queue.Pop();
  EXPECT_TRUE(queue.HasRoom());
  queue.WaitForRoom(absl::InfiniteFuture());
  queue.Finished();
  EXPECT_TRUE(queue.HasRoom());
}

TEST(BatchQueue, KnowsTheOldestTransactionThatIsNotApplied) {
  BatchQueue queue;
  EXPECT_EQ(queue.OldestCommitTime(), std::nullopt);
  queue.Push({.batch = BatchOf(10), .advance = Lsn()});
  queue.Push({.batch = BatchOf(20), .advance = Lsn()});
  EXPECT_EQ(queue.OldestCommitTime(), 10);
  const auto popped = queue.Pop();
  EXPECT_EQ(queue.OldestCommitTime(), 10);
  queue.Finished();
  EXPECT_EQ(queue.OldestCommitTime(), 20);
}

TEST(BatchQueue, ClosingWakesThePopperAndDropsTheRest) {
  BatchQueue queue;
  std::thread popper([&queue] { EXPECT_FALSE(queue.Pop().has_value()); });
  queue.Close();
  popper.join();
  queue.Push({.batch = nullptr, .advance = Lsn(1)});
  EXPECT_FALSE(queue.Pop().has_value());
  EXPECT_TRUE(queue.HasRoom());
}

}  // namespace
}  // namespace walferry
