#ifndef ENGINE_REPORT_JSON_H_
#define ENGINE_REPORT_JSON_H_

// A report as JSON: in the ledger, in events, and for scripts.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/report.h"

namespace walferry {

// One object on one line: compared and compared_by (names, or ""),
// compared_found, and compared_at, a time or null.
std::string ComparisonToJson(const ComparisonResult& comparison);
// The inverse, also of an object that has more. kDataLoss if the text is none.
absl::StatusOr<ComparisonResult> ComparisonFromJson(absl::string_view json);

// One object on one line, with what ComparisonToJson() has. Durations are
// seconds; freeze_to_done_seconds is null when there was no cutover.
std::string ReportToJson(const Report& report);

// The inverse. kDataLoss if the text is not such an object.
absl::StatusOr<Report> ReportFromJson(absl::string_view json);

}  // namespace walferry

#endif  // ENGINE_REPORT_JSON_H_
