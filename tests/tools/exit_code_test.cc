#include "tools/exit_code.h"

#include "gtest/gtest.h"

namespace walferry {
namespace {

TEST(ExitCode, TellsResumableFromFailed) {
  EXPECT_EQ(ExitCodeOf(absl::OkStatus()), ExitCode::kDone);
  // Stopped, or what was retried for --retry-for and given up.
  for (absl::StatusCode code :
       {absl::StatusCode::kCancelled, absl::StatusCode::kUnavailable,
        absl::StatusCode::kAborted, absl::StatusCode::kDeadlineExceeded,
        absl::StatusCode::kResourceExhausted}) {
    EXPECT_EQ(ExitCodeOf(absl::Status(code, "x")), ExitCode::kResumable)
        << code;
  }
  for (absl::StatusCode code :
       {absl::StatusCode::kInvalidArgument,
        absl::StatusCode::kFailedPrecondition, absl::StatusCode::kNotFound,
        absl::StatusCode::kPermissionDenied, absl::StatusCode::kDataLoss,
        absl::StatusCode::kInternal}) {
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
