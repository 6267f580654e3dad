#include "tools/exit_code.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(ExitCode, TellsResumableFromFailed) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kDone);
  EXPECT_EQ(ExitCodeOf(absl::CancelledError("stop")), ExitCode::kResumable);
  EXPECT_EQ(ExitCodeOf(absl::UnavailableError("away")), ExitCode::kResumable);
  for (absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kNotFound,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kDataLoss,
        absl::StatusCode::kInternal, absl::StatusCode::kDeadlineExceeded}) {
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "x")), ExitCode::kFailed) << code;
  }
}

// Scripts depend on them.
TEST(ExitCode, HasTheDocumentedNumbers) {
  EXPECT_EQ(static_cast<int>(ExitCode::kDone), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kFailed), 1);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kDifferences), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kResumable), 75);
  EXPECT_EQ(ExitCodeMeanings().size(), 5u);
}

}  // namespace
}  // namespace walferry
