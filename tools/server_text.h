#ifndef TOOLS_SERVER_TEXT_H_
#define TOOLS_SERVER_TEXT_H_

// A move of all databases as a person reads it.

#include <string>

#include "absl/time/time.h"
#include "engine/server/server_report.h"
#include "engine/server/server_status.h"

namespace walferry {

// What became of each database, with how long its steps took in this run.
std::string ServerReportText(const ServerReport& report);

// What the ledgers say. `now` is for ages.
std::string ServerStatusText(const ServerStatus& status, absl::Time now);

}  // namespace walferry

#endif  // TOOLS_SERVER_TEXT_H_
