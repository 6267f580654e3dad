#ifndef TOOLS_REPORT_TEXT_H_
#define TOOLS_REPORT_TEXT_H_

// Results as a person reads them, in figures.

#include <string>

#include "absl/time/time.h"
#include "engine/report.h"
#include "engine/status.h"
#include "engine/stream/capture.h"

namespace walferry {

// What a run did. Several lines, the last one ended too.
std::string ReportText(const Report& report);

// What the ledger says. `now` is for ages.
std::string StatusText(const MigrationStatus& status, absl::Time now);

// What was recorded to `path`.
std::string CaptureText(const std::string& path, const CaptureReport& report);

// How fast a record was run. MB are 1,000,000 bytes, in every size: figures of
// several runs are compared.
std::string ReplayText(const ReplayOptions& options,
                       const ReplayReport& report);

}  // namespace walferry

#endif  // TOOLS_REPORT_TEXT_H_
