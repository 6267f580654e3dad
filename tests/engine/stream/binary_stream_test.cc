#include "engine/stream/binary_stream.h"

#include <string>
#include <utility>
#include <vector>

#include "apply/text_needed.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

constexpr uint32_t kInt4 = 23;
constexpr uint32_t kInt8 = 20;
constexpr uint32_t kMoney = 790;

SourceRelation Relation(std::vector<std::pair<std::string, uint32_t>> columns,
                        std::string name = "t") {
  SourceRelation relation{.id = 1, .name = {"public", std::move(name)}};
  for (auto& [column, type] : columns) {
    relation.columns.push_back({.name = column, .type_oid = type});
  }
  return relation;
}

// The target has public.t (id int4).
RelationGate Gate(RelationPolicy policy = {}) {
  return GateOfBinary(
      [policy](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
        return policy;
      },
      {{{"public", "t"}, {{"id", kInt4}}}});
}

TEST(GateOfBinaryTest, LetsThroughWhatIsOfTheTargetsTypes) {
  EXPECT_OK(Gate()(Relation({{"id", kInt4}})));
}

TEST(GateOfBinaryTest, LeavesToTheApplierWhatTheTargetGotLater) {
  EXPECT_OK(Gate()(Relation({{"id", kInt4}, {"later", kInt8}})));
  EXPECT_OK(Gate()(Relation({{"id", kInt8}}, "later")));
}

TEST(GateOfBinaryTest, NeedsTextForAnotherType) {
  const absl::Status status = Gate()(Relation({{"id", kInt8}})).status();
  EXPECT_TRUE(IsTextNeeded(status));
  EXPECT_EQ(status.message(),
            "column \"id\" of public.t came with a type whose binary form the "
            "target does not take for its own");
}

TEST(GateOfBinaryTest, NeedsTextForATypeThatIsNotPortable) {
  EXPECT_TRUE(IsTextNeeded(
      Gate()(Relation({{"id", kInt4}, {"later", kMoney}})).status()));
  EXPECT_TRUE(
      IsTextNeeded(Gate()(Relation({{"id", kMoney}}, "later")).status()));
}

TEST(GateOfBinaryTest, DoesNotCareForWhatIsLeftOut) {
  const auto policy =
      Gate({.apply = false})(Relation({{"id", kInt8}, {"m", kMoney}}));
  ASSERT_OK(policy);
  EXPECT_FALSE(policy->apply);
}

TEST(GateOfBinaryTest, AsksTheOtherGateFirst) {
  const RelationGate gate = GateOfBinary(
      [](const SourceRelation&) -> absl::StatusOr<RelationPolicy> {
        return absl::FailedPreconditionError("altered");
      },
      {});
  EXPECT_THAT(gate(Relation({{"id", kMoney}})),
              StatusIs(absl::StatusCode::kFailedPrecondition, "altered"));
}

}  // namespace
}  // namespace walferry
