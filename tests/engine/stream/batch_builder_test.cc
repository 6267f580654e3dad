#include "engine/stream/batch_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/wire.h"

namespace walferry {
namespace {

constexpr uint32_t kTable = 16384;

std::string BeginAt(uint64_t final_lsn) {
  return Wire('B').Int64(final_lsn).Int64(7).Int32(90);
}
std::string CommitAt(uint64_t commit_lsn, uint64_t end_lsn) {
  return Wire('C').Byte(0).Int64(commit_lsn).Int64(end_lsn).Int64(7);
}
std::string Describe(uint32_t id, const std::string& name,
                     const std::vector<std::string>& columns) {
  Wire wire('R');
  wire.Int32(id).String("public").String(name).Byte('d').Int16(
      static_cast<uint16_t>(columns.size()));
  for (const std::string& column : columns) {
    wire.Byte(column == "id" ? 1 : 0)
        .String(column)
        .Int32(25)
        .Int32(static_cast<uint32_t>(-1));
  }
  return wire;
}
std::string InsertOne(const std::string& value) {
  return Wire('I').Int32(kTable).Byte('N').Int16(1).Text(value);
}

BatchBuilderOptions Options() {
  return {.position = Lsn(100),
          .gate = [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
            return RelationPolicy{};
          }};
}

absl::Status TakeAll(BatchBuilder& builder,
                     const std::vector<std::string>& payloads) {
  for (const std::string& payload : payloads) {
    absl::Status status = builder.Take(payload);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

std::vector<std::string> ValuesOf(const ChangeBatch& batch) {
  std::vector<std::string> values;
  for (const Change& change : batch.changes()) {
    values.emplace_back(change.row.front().value);
  }
  return values;
}

TEST(BatchBuilder, CollectsWholeTransactions) {
  BatchBuilder builder(Options());
  ASSERT_OK(TakeAll(
      builder, {BeginAt(200), Describe(kTable, "t", {"id"}), InsertOne("a")}));
  EXPECT_FALSE(builder.HasWholeTransactions());
  EXPECT_FALSE(builder.Empty());
  ASSERT_OK(builder.Take(CommitAt(200, 210)));
  EXPECT_TRUE(builder.HasWholeTransactions());
  EXPECT_EQ(builder.received(), Lsn(210));
  const auto batch = builder.TakeBatch();
  EXPECT_EQ(ValuesOf(*batch), std::vector<std::string>{"a"});
  EXPECT_EQ(batch->end_lsn(), Lsn(210));
  EXPECT_FALSE(batch->open());
  EXPECT_TRUE(builder.Empty());
}

// The rule of the start position: a transaction is on the target exactly if
// its commit record starts before it.
TEST(BatchBuilder, LeavesOutWhatCommittedBeforeThePosition) {
  BatchBuilder builder(Options());
  ASSERT_OK(TakeAll(builder, {BeginAt(99), Describe(kTable, "t", {"id"}),
                              InsertOne("before"), CommitAt(99, 100)}));
  EXPECT_TRUE(builder.Empty());
  EXPECT_EQ(builder.received(), Lsn(100));
  ASSERT_OK(
      TakeAll(builder, {BeginAt(100), InsertOne("at"), CommitAt(100, 110)}));
  EXPECT_EQ(ValuesOf(*builder.TakeBatch()), std::vector<std::string>{"at"});
}

TEST(BatchBuilder, StopsAtTheFirstTransactionThatCommitsAtTheEnd) {
  BatchBuilderOptions options = Options();
  options.until = Lsn(300);
  BatchBuilder builder(options);
  // Begins its commit record before the end, though it ends behind it.
  ASSERT_OK(TakeAll(builder, {BeginAt(299), Describe(kTable, "t", {"id"}),
                              InsertOne("a"), CommitAt(299, 310)}));
  EXPECT_FALSE(builder.reached_until());
  ASSERT_OK(builder.Take(BeginAt(310)));
  EXPECT_TRUE(builder.reached_until());
  EXPECT_EQ(ValuesOf(*builder.TakeBatch()), std::vector<std::string>{"a"});
}

TEST(BatchBuilder, LeavesOutChangesThatACopyAlreadyHolds) {
  BatchBuilderOptions options = Options();
  options.gate =
      [](const SourceRelation& relation) -> absl::StatusOr<RelationPolicy> {
    if (relation.name.name == "t") return RelationPolicy{.copied_at = Lsn(205)};
    return RelationPolicy{.apply = false};
  };
  BatchBuilder builder(options);
  ASSERT_OK(TakeAll(
      builder,
      {BeginAt(200), Describe(kTable, "t", {"id"}), InsertOne("copied"),
       CommitAt(200, 205), BeginAt(205), InsertOne("new"),
       Describe(5, "excluded", {"id"}),
       Wire('I').Int32(5).Byte('N').Int16(1).Text("x"), CommitAt(205, 210)}));
  const auto batch = builder.TakeBatch();
  EXPECT_EQ(ValuesOf(*batch), std::vector<std::string>{"new"});
  // The empty transaction still moves the position.
  EXPECT_EQ(batch->transactions().size(), 2u);
}

TEST(BatchBuilder, TruncatesOnlyWhatIsInTheStream) {
  BatchBuilderOptions options = Options();
  options.gate =
      [](const SourceRelation& relation) -> absl::StatusOr<RelationPolicy> {
    return RelationPolicy{
        .apply = relation.name.name != "excluded",
        .copied_at = Lsn(relation.name.name == "late" ? 999 : 0)};
  };
  BatchBuilder builder(options);
  ASSERT_OK(TakeAll(
      builder, {BeginAt(200), Describe(1, "t", {"id"}),
                Describe(2, "excluded", {"id"}), Describe(3, "late", {"id"}),
                Wire('T').Int32(3).Byte(2).Int32(1).Int32(2).Int32(3),
                CommitAt(200, 210)}));
  const auto batch = builder.TakeBatch();
  ASSERT_EQ(batch->changes().size(), 1u);
  const Change& change = batch->changes().front();
  EXPECT_TRUE(change.restart_identity);
  ASSERT_EQ(change.truncated.size(), 1u);
  EXPECT_EQ(change.truncated.front()->name.name, "t");
}

TEST(BatchBuilder, SplitsATransactionThatIsLargerThanABatch) {
  BatchBuilderOptions options = Options();
  options.batch_bytes = 1;
  BatchBuilder builder(options);
  ASSERT_OK(TakeAll(
      builder, {BeginAt(200), Describe(kTable, "t", {"id"}), InsertOne("a")}));
  EXPECT_TRUE(builder.full());
  const auto first = builder.TakeBatch();
  EXPECT_TRUE(first->open());
  EXPECT_EQ(first->end_lsn(), Lsn());
  EXPECT_FALSE(builder.Empty());
  ASSERT_OK(TakeAll(builder, {InsertOne("b"), CommitAt(200, 210)}));
  EXPECT_TRUE(builder.full());
  const auto second = builder.TakeBatch();
  EXPECT_FALSE(builder.full());
  EXPECT_FALSE(second->open());
  EXPECT_TRUE(second->transactions().front().continued);
  EXPECT_EQ(ValuesOf(*second), std::vector<std::string>{"b"});
  EXPECT_EQ(second->end_lsn(), Lsn(210));
}

// A cut transaction stays open on the target until its rest is there.
TEST(BatchBuilder, EndsABatchWithATransactionIfItCan) {
  BatchBuilderOptions options = Options();
  options.batch_bytes = 2000;
  BatchBuilder builder(options);
  ASSERT_OK(TakeAll(builder, {BeginAt(200), Describe(kTable, "t", {"id"}),
                              InsertOne(std::string(500, 'a')),
                              CommitAt(200, 210), BeginAt(220)}));
  EXPECT_FALSE(builder.full());
  ASSERT_OK(builder.Take(InsertOne(std::string(700, 'b'))));
  EXPECT_FALSE(builder.full());
  ASSERT_OK(builder.Take(CommitAt(220, 230)));
  EXPECT_TRUE(builder.full());
  const auto batch = builder.TakeBatch();
  EXPECT_FALSE(batch->open());
  EXPECT_EQ(batch->end_lsn(), Lsn(230));
}

TEST(BatchBuilder, KeepsTheRelationThatIsDescribedAgain) {
  int asked = 0;
  BatchBuilderOptions options = Options();
  options.gate =
      [&asked](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
    ++asked;
    return RelationPolicy{};
  };
  BatchBuilder builder(options);
  ASSERT_OK(TakeAll(
      builder, {BeginAt(200), Describe(kTable, "t", {"id"}), InsertOne("a"),
                Describe(kTable, "t", {"id"}), InsertOne("b")}));
  EXPECT_EQ(asked, 1);
  ASSERT_OK(builder.Take(Describe(kTable, "t", {"id", "more"})));
  EXPECT_EQ(asked, 2);
  ASSERT_OK(builder.Take(CommitAt(200, 210)));
  const auto batch = builder.TakeBatch();
  EXPECT_EQ(batch->changes()[0].relation, batch->changes()[1].relation);
}

// "t +2 ~1": two inserts and an update of table t.
std::vector<std::string> DecodedOf(const ChangeBatch& batch) {
  std::vector<std::string> texts;
  for (const auto& [relation, counts] : batch.decoded()) {
    texts.push_back(absl::StrCat(relation->name.name, " +", counts.inserts,
                                 " ~", counts.updates, " -", counts.deletes,
                                 " 0", counts.truncates));
  }
  return texts;
}

TEST(BatchBuilder, CountsWhatItDecodesBatchByBatch) {
  BatchBuilder builder(Options());
  ASSERT_OK(TakeAll(
      builder,
      {BeginAt(200), Describe(kTable, "t", {"id"}), Describe(5, "u", {"id"}),
       InsertOne("a"), Wire('D').Int32(5).Byte('K').Int16(1).Text("x"),
       InsertOne("b"), Wire('U').Int32(kTable).Byte('N').Int16(1).Text("b"),
       Wire('T').Int32(2).Byte(0).Int32(kTable).Int32(5), CommitAt(200, 210)}));
  EXPECT_THAT(DecodedOf(*builder.TakeBatch()),
              ::testing::ElementsAre("t +2 ~1 -0 01", "u +0 ~0 -1 01"));
  // Described again within a batch, it is another relation, maybe renamed.
  ASSERT_OK(TakeAll(
      builder, {BeginAt(210), InsertOne("c"), Describe(kTable, "v", {"id"}),
                InsertOne("d"), CommitAt(210, 220)}));
  EXPECT_THAT(DecodedOf(*builder.TakeBatch()),
              ::testing::ElementsAre("t +1 ~0 -0 00", "v +1 ~0 -0 00"));
}

TEST(BatchBuilder, CountsOnlyWhatIsToBeApplied) {
  BatchBuilderOptions options = Options();
  options.gate = [](const SourceRelation&) {
    return RelationPolicy{.copied_at = Lsn(205)};
  };
  BatchBuilder builder(options);
  ASSERT_OK(
      TakeAll(builder, {BeginAt(99), Describe(kTable, "t", {"id"}),
                        InsertOne("before the position"), CommitAt(99, 100),
                        BeginAt(200), InsertOne("copied"), CommitAt(200, 205),
                        BeginAt(205), InsertOne("new"), CommitAt(205, 210)}));
  EXPECT_THAT(DecodedOf(*builder.TakeBatch()),
              ::testing::ElementsAre("t +1 ~0 -0 00"));
}

TEST(BatchBuilder, AnErrorOfTheGateStopsTheStream) {
  BatchBuilderOptions options = Options();
  options.gate = [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
    return absl::FailedPreconditionError("changed shape");
  };
  BatchBuilder builder(options);
  ASSERT_OK(builder.Take(BeginAt(200)));
  EXPECT_EQ(builder.Take(Describe(kTable, "t", {"id"})),
            absl::FailedPreconditionError("changed shape"));
}

struct Impossible {
  std::string name;
  std::vector<std::string> payloads;
  std::string error;
};

class BatchBuilderImpossible : public ::testing::TestWithParam<Impossible> {};

TEST_P(BatchBuilderImpossible, IsSaidAndNotSkipped) {
  BatchBuilder builder(Options());
  const absl::Status status = TakeAll(builder, GetParam().payloads);
  EXPECT_EQ(status.message(), GetParam().error);
}

INSTANTIATE_TEST_SUITE_P(
    Stream, BatchBuilderImpossible,
    ::testing::ValuesIn(std::vector<Impossible>{
        {"UnknownRelation",
         {BeginAt(200), InsertOne("a")},
         "stream: change of relation 16384, which was not described before it "
         "(transaction 90, commit 0/C8)"},
        {"UnknownRelationTruncated",
         {BeginAt(200), Wire('T').Int32(1).Byte(0).Int32(9)},
         "stream: change of relation 9, which was not described before it "
         "(transaction 90, commit 0/C8)"},
        {"MoreColumnsThanDescribed",
         {BeginAt(200), Describe(kTable, "t", {"id"}),
          Wire('I').Int32(kTable).Byte('N').Int16(2).Text("a").Null()},
         "stream: row of public.t has 2 columns, its description has 1 "
         "(transaction 90)"},
        {"StreamedTransaction",
         {Wire('S').Int32(5).Byte(1)},
         "stream: unexpected StreamStart message: neither streaming nor "
         "two-phase commit was asked for"},
    }),
    [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace walferry
