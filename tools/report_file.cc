#include "tools/report_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<ReportForm> ReportFormOf(const std::string& path) {
  if (absl::EndsWith(path, ".txt")) return ReportForm::kText;
  if (absl::EndsWith(path, ".json")) return ReportForm::kJson;
  if (absl::EndsWith(path, ".html")) return ReportForm::kHtml;
  return WithHint(absl::InvalidArgumentError(absl::StrCat(
                      "--report ", path, ": no form is known by that name")),
                  "let it end in .txt, .json or .html");
}

absl::Status WriteReportFile(const std::string& path, absl::string_view text) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text << std::flush;
  if (file) return absl::OkStatus();
  return absl::UnknownError(
      absl::StrCat("cannot write --report ", path, ": ", std::strerror(errno)));
}

}  // namespace walferry
