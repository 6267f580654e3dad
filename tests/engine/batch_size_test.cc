#include "engine/batch_size.h"

#include <gtest/gtest.h>

namespace walferry {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(BatchSize, LeavesEachPartOfTheStreamItsShare) {
  EXPECT_EQ(BatchBytesFor(kDefaultMemory, 1), 56 * kMiB);
  EXPECT_EQ(BatchBytesFor(64 * kMiB, 1), 8 * kMiB);
  EXPECT_EQ(BatchBytesFor(272 * kMiB, 4), 24 * kMiB);
}

TEST(BatchSize, IsNeverSoSmallThatNothingFits) {
  EXPECT_EQ(BatchBytesFor(0, 1), size_t{4} << 10);
  EXPECT_EQ(BatchBytesFor(32 * kMiB + 1, 64), size_t{4} << 10);
}

}  // namespace
}  // namespace walferry
