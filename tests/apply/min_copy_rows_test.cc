#include "apply/min_copy_rows.h"

#include <gtest/gtest.h>

namespace walferry {
namespace {

TEST(MinCopyRows, IsWhatWasMeasuredWhereTheTargetIsNear) {
  EXPECT_EQ(MinCopyRows(500, absl::ZeroDuration()), 500u);
  EXPECT_EQ(MinCopyRows(2, absl::Microseconds(500)), 2u);
}

TEST(MinCopyRows, GrowsWithTheWayToTheTarget) {
  EXPECT_EQ(MinCopyRows(500, absl::Milliseconds(1)), 2500u);
  EXPECT_EQ(MinCopyRows(500, absl::Milliseconds(10)), 25000u);
  EXPECT_EQ(MinCopyRows(50000, absl::Milliseconds(10)), 50000u);
}

}  // namespace
}  // namespace walferry
