#ifndef TOOLS_REPORT_FILE_H_
#define TOOLS_REPORT_FILE_H_

// --report FILE: in which form, and writing it.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

enum class ReportForm { kText, kJson, kHtml };

// By how the file's name ends: .txt, .json, .html. kInvalidArgument: otherwise.
absl::StatusOr<ReportForm> ReportFormOf(const std::string& path);

// In place of what the file held.
absl::Status WriteReportFile(const std::string& path, absl::string_view text);

}  // namespace walferry

#endif  // TOOLS_REPORT_FILE_H_
