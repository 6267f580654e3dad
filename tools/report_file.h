#ifndef TOOLS_REPORT_FILE_H_
#define TOOLS_REPORT_FILE_H_

// --report FILE: in which form, and writing it.

#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/command.h"

namespace walferry {

enum class ReportForm { kText, kJson, kHtml };

// By how the file's name ends: .txt, .json, .html. kInvalidArgument: otherwise.
absl::StatusOr<ReportForm> ReportFormOf(const std::string& path);

// In place of what the file held.
absl::Status WriteReportFile(const std::string& path, absl::string_view text);

// To --report, if there is one: what `text` gives for its form.
absl::Status WriteReport(const CommandContext& context,
                         absl::FunctionRef<std::string(ReportForm)> text);

// A command that ends with `error`, whose report says why there is nothing
// else in it: `write` gets that as one clause. Yesterday's report must not
// stay, as somebody would take it for today's.
CommandOutcome FailWithReport(
    ExitCode code, absl::Status error,
    absl::FunctionRef<absl::Status(const std::string& trouble)> write);

}  // namespace walferry

#endif  // TOOLS_REPORT_FILE_H_
