#include "apply/text_needed.h"

#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/status_matchers.h"

namespace walferry {
namespace {

TEST(TextNeededTest, IsToldFromOtherErrors) {
  const absl::Status status = TextNeededError("column \"v\"");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, "column \"v\""));
  EXPECT_TRUE(IsTextNeeded(status));
  EXPECT_TRUE(IsTextNeeded(Annotate(status, "insert")));
  EXPECT_FALSE(IsTextNeeded(absl::InternalError("column \"v\"")));
  EXPECT_FALSE(IsTextNeeded(absl::OkStatus()));
}

}  // namespace
}  // namespace walferry
