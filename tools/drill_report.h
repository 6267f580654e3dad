#ifndef TOOLS_DRILL_REPORT_H_
#define TOOLS_DRILL_REPORT_H_

// What a drill has found: for a terminal, for programs, and as a page to keep.

#include <string>

#include "absl/strings/string_view.h"
#include "engine/archive/archives.h"
#include "tools/redaction.h"

namespace walferry {

// Several lines, the last one ended too; not redacted.
std::string DrillText(const DrillReport& report);

std::string DrillJson(const DrillReport& report, const Redactor& redactor);

// One file that needs no other; not redacted.
std::string DrillHtml(const DrillReport& report);

// "passed", "failed" or, where there is trouble and no check has failed, "could
// not be held to its end".
absl::string_view VerdictText(const DrillReport& report);

// "passed", "failed" or "skipped".
absl::string_view OutcomeName(DrillCheck::Outcome outcome);

}  // namespace walferry

#endif  // TOOLS_DRILL_REPORT_H_
