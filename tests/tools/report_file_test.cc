#include "tools/report_file.h"

#include <fstream>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_dir.h"

namespace walferry {
namespace {

TEST(ReportFormOf, GoesByTheFilesName) {
  EXPECT_THAT(ReportFormOf("a.txt"), IsOkAndHolds(ReportForm::kText));
  EXPECT_THAT(ReportFormOf("a.json"), IsOkAndHolds(ReportForm::kJson));
  EXPECT_THAT(ReportFormOf("a.html"), IsOkAndHolds(ReportForm::kHtml));
  const absl::Status status = ReportFormOf("a.pdf").status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInvalidArgument,
                               "--report a.pdf: no form is known by that "
                               "name"));
  EXPECT_EQ(HintOf(status), "let it end in .txt, .json or .html");
}

TEST(WriteReportFile, LeavesNothingOfWhatWasThere) {
  ASSERT_OK_AND_ASSIGN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/r.txt";
  std::ofstream(path) << "a longer report of yesterday";
  EXPECT_OK(WriteReportFile(path, "new"));
  EXPECT_EQ(ReadFile(path), "new");
  EXPECT_THAT(WriteReportFile("/dev/full", "new"),
              StatusIs(absl::StatusCode::kUnknown,
                       "cannot write --report /dev/full: No space left on "
                       "device"));
}

}  // namespace
}  // namespace walferry
