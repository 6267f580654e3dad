#include "apply/applied_counts.h"

#include <memory>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

const QualifiedName kOrders = {"public", "orders"};
const QualifiedName kItems = {"public", "items"};

std::shared_ptr<const SourceRelation> Relation(const QualifiedName& name) {
  return std::make_shared<const SourceRelation>(SourceRelation{.name = name});
}

class AppliedCountsTest : public ::testing::Test {
 protected:
  AppliedCountsTest() {
    // Described twice, as two shapes of one table.
    for (const QualifiedName& name : {kOrders, kItems, kOrders}) {
      batch_.CountDecoded(batch_.AddDecodedTable(Relation(name)),
                          ChangeKind::kInsert);
    }
    counts_.Start(batch_);
  }

  void ApplyAll() {
    counts_.Add(kOrders, ChangeCounts{.inserts = 2});
    counts_.Add(kItems, ChangeKind::kInsert);
  }

  ChangeBatch batch_;
  AppliedCounts counts_;
};

TEST_F(AppliedCountsTest, AgreeOnceAllIsApplied) {
  EXPECT_THAT(counts_.Check(),
              StatusIs(absl::StatusCode::kInternal,
                       "changes of public.items were lost or applied twice, so "
                       "that nothing of this batch is committed; inserts: 1 "
                       "decoded, 0 applied"));
  ApplyAll();
  EXPECT_OK(counts_.Check());
  const TableCounts two{.decoded = {.inserts = 2}, .applied = {.inserts = 2}};
  const TableCounts one{.decoded = {.inserts = 1}, .applied = {.inserts = 1}};
  EXPECT_EQ(counts_.Totals(), (CountsByTable{{kOrders, two}, {kItems, one}}));
}

TEST_F(AppliedCountsTest, DoNotAgreeIfAChangeIsAppliedTwice) {
  ApplyAll();
  counts_.Add(kItems, ChangeKind::kInsert);
  EXPECT_FALSE(counts_.Check().ok());
}

TEST_F(AppliedCountsTest, DoNotAgreeIfATableIsChangedOfWhichNothingCame) {
  ApplyAll();
  counts_.Add({"public", "other"}, ChangeKind::kDelete);
  EXPECT_FALSE(counts_.Check().ok());
}

TEST_F(AppliedCountsTest, ForgetWhatARollbackTakesBack) {
  counts_.Add(kOrders, ChangeKind::kInsert);
  CountsByTable mark = counts_.Mark();
  counts_.Add(kOrders, ChangeKind::kInsert);
  counts_.Add(kItems, ChangeCounts{.inserts = 9});
  counts_.ReturnTo(std::move(mark));
  counts_.Add(kOrders, ChangeKind::kInsert);
  counts_.Add(kItems, ChangeKind::kInsert);
  EXPECT_OK(counts_.Check());
}

TEST_F(AppliedCountsTest, SumUpTheBatchesOfATransaction) {
  ApplyAll();
  counts_.Carry();
  counts_.Start(batch_);
  EXPECT_FALSE(counts_.Check().ok());
  ApplyAll();
  EXPECT_OK(counts_.Check());
  EXPECT_EQ(counts_.Totals()[kOrders].applied.inserts, 4);
  counts_.Clear();
  EXPECT_EQ(counts_.Totals(), CountsByTable());
}

}  // namespace
}  // namespace walferry
