#include "protocol/status.h"

#include <string>

#include "gtest/gtest.h"

namespace walferry {
namespace {

absl::Status ServerError() {
  return WithSqlState(
      WithHint(absl::FailedPreconditionError("duplicate key"), "look at it"),
      "23505");
}

TEST(Annotate, PutsContextInFront) {
  const absl::Status status =
      Annotate(Annotate(absl::DataLossError("what"), "inner"), "outer");
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(status.message(), "outer: inner: what");
}

TEST(Annotate, KeepsPayloads) {
  absl::Status bare = ServerError();
  bare.SetPayload("other", absl::Cord("kept"));
  const absl::Status status = Annotate(bare, "table public.t");
  EXPECT_EQ(status.message(), "table public.t: duplicate key");
  EXPECT_EQ(HintOf(status), "look at it");
  EXPECT_EQ(SqlStateOf(status), "23505");
  EXPECT_EQ(*status.GetPayload("other"), "kept");
}

TEST(Annotate, LeavesOkAlone) {
  EXPECT_EQ(Annotate(absl::OkStatus(), "context"), absl::OkStatus());
}

TEST(WithHint, KeepsTheHintNearestToTheFault) {
  EXPECT_EQ(HintOf(WithHint(ServerError(), "look elsewhere")), "look at it");
}

TEST(WithHint, LeavesOkAlone) {
  EXPECT_EQ(WithHint(absl::OkStatus(), "hint"), absl::OkStatus());
  EXPECT_EQ(WithSqlState(absl::OkStatus(), "23505"), absl::OkStatus());
}

TEST(HintOf, IsEmptyWithoutOne) {
  EXPECT_EQ(HintOf(absl::DataLossError("x")), "");
  EXPECT_EQ(HintOf(absl::OkStatus()), "");
  EXPECT_EQ(SqlStateOf(absl::DataLossError("x")), "");
  EXPECT_EQ(WithSqlState(absl::DataLossError("x"), ""),
            absl::DataLossError("x"));
}

absl::StatusOr<std::string> Half(int value) {
  if (value % 2 != 0) return absl::InvalidArgumentError("odd");
  return std::to_string(value / 2);
}

absl::StatusOr<std::string> Quarter(int value) {
  ASSIGN_OR_RETURN(const std::string half, Half(value));
  ASSIGN_OR_RETURN(std::string quarter, Half(std::stoi(half)));
  return quarter;
}

absl::Status CheckQuarter(int value) {
  RETURN_IF_ERROR(Quarter(value).status());
  return absl::OkStatus();
}

TEST(StatusMacros, ReturnTheFirstError) {
  EXPECT_EQ(*Quarter(12), "3");
  EXPECT_EQ(Quarter(13).status().message(), "odd");
  EXPECT_EQ(Quarter(14).status().message(), "odd");
  EXPECT_TRUE(CheckQuarter(16).ok());
  EXPECT_EQ(CheckQuarter(2).message(), "odd");
}

TEST(ReplaceHint, PutsAnotherInThePlaceOfOne) {
  const absl::Status replaced = ReplaceHint(ServerError(), "see to it");
  EXPECT_EQ(HintOf(replaced), "see to it");
  EXPECT_EQ(SqlStateOf(replaced), "23505");
  EXPECT_EQ(replaced.message(), "duplicate key");
  EXPECT_EQ(HintOf(ReplaceHint(absl::NotFoundError("it"), "see to it")), "");
  EXPECT_TRUE(ReplaceHint(absl::OkStatus(), "see to it").ok());
}

}  // namespace
}  // namespace walferry
