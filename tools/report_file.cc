#include "tools/report_file.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

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

absl::Status WriteReport(const CommandContext& context,
                         absl::FunctionRef<std::string(ReportForm)> text) {
  const std::string& path = context.values.Text(OptionId::kReport);
  if (path.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const ReportForm form, ReportFormOf(path));
  return WriteReportFile(path, text(form));
}

CommandOutcome FailWithReport(
    ExitCode code, absl::Status error,
    absl::FunctionRef<absl::Status(const std::string& trouble)> write) {
  const std::string hint = HintOf(error);
  const absl::Status written =
      write(absl::StrCat(error.message(), hint.empty() ? "" : "; ", hint));
  if (written.ok() || code == ExitCode::kUsage) return {code, std::move(error)};
  return {code, WithHint(absl::Status(error.code(),
                                      absl::StrCat(error.message(), "; ",
                                                   written.message())),
                         hint)};
}

}  // namespace walferry
