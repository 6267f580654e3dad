#ifndef ENGINE_SERVER_SERVER_REPORT_H_
#define ENGINE_SERVER_SERVER_REPORT_H_

// What a move of all databases did.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/report.h"
#include "engine/server/database_comparison.h"
#include "engine/server/server_events.h"

namespace walferry {

struct DatabaseReport {
  std::string database;
  // OK: the target has all of it. kCancelled also if it was not begun.
  absl::Status status;
  // Totals over all runs, if status is OK.
  Report report;
  // Of this run.
  std::vector<PhaseTime> phases;
  absl::Duration elapsed;
  // Clients may work on it, though it is not done: only delayed tables are not
  // complete (engine/catalog/delayed_tables.h). If this run came so far.
  bool usable = false;
  absl::Time ended;
  // By this run or, if it was found equal, by an earlier one.
  ComparisonResult comparison;
};

struct ServerReport {
  std::string name;
  bool online = false;
  // From the first moment at which one of the databases that cut over in this
  // run was still until the last of them was done; infinite if none did.
  absl::Duration pause = absl::InfiniteDuration();
  std::vector<DatabaseReport> databases;  // In the order of the work.
  // "postgres (is empty)".
  std::vector<std::string> left_out;
  // What was left undone or is for the operator to do, one sentence each.
  std::vector<std::string> remarks;
  // The run as a whole failed after its databases.
  absl::Status failure;
  absl::Duration elapsed;  // Of this run.
};

// OK if all is done. Otherwise what failed, of which database; as resumable
// (engine/connect/retry_policy.h) as the least of them.
absl::Status OutcomeOf(const ServerReport& report);

// OK if no database that is done was found to differ from its source. Otherwise
// which, and how.
absl::Status ShortfallOf(const ServerReport& report);

// ServerReport::pause, from its databases.
absl::Duration PauseOf(const ServerReport& report);

// The sum over its databases.
Report TotalOf(const ServerReport& report);

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_REPORT_H_
