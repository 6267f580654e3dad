#include "tools/globals_text.h"

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"

namespace walferry {
namespace {

std::string DryRunText(const GlobalsReport& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    const std::string line = absl::StrCat(
        SeverityName(finding.severity), " ", finding.id, ", ", finding.subject,
        ": ", finding.text,
        finding.acceptable
            ? absl::StrCat(" (--accept ", finding.id, " goes on without)")
            : "");
    absl::StrAppend(&text, "-- ", absl::StrReplaceAll(line, {{"\n", "\n-- "}}),
                    "\n");
  }
  for (const std::string& statement : report.statements) {
    absl::StrAppend(&text, statement, ";\n");
  }
  if (report.statements.empty()) text += "-- nothing to do\n";
  return text;
}

void AppendNames(absl::string_view title, const std::vector<std::string>& names,
                 std::string& text) {
  if (names.empty()) return;
  absl::StrAppend(&text, title, ": ", absl::StrJoin(names, ", "), "\n");
}

}  // namespace

std::string GlobalsText(const GlobalsReport& report) {
  if (report.dry_run) return DryRunText(report);
  std::string text;
  AppendNames("roles created", report.roles, text);
  AppendNames("roles without a password", report.roles_without_password, text);
  AppendNames("tablespaces", report.tablespaces, text);
  AppendNames("tablespaces skipped", report.skipped_tablespaces, text);
  absl::StrAppend(&text, "statements run: ", report.statements.size(), "\n");
  return text;
}

}  // namespace walferry
