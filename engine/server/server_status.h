#ifndef ENGINE_SERVER_SERVER_STATUS_H_
#define ENGINE_SERVER_SERVER_STATUS_H_

// What the ledgers tell of a move of all databases, for `walferry status`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/server/database_comparison.h"
#include "engine/status.h"

namespace walferry {

struct DatabaseStatus {
  std::string database;
  // PhaseName, or "waiting": not begun. It is done with its connection limit,
  // privileges, comment and settings, until then it is said to be in the phase
  // before.
  std::string phase;
  // A process works on it right now.
  bool running = false;
  // MigrationStatus::usable; also of one that is done.
  bool usable = false;
  int64_t tables = 0;  // 0: not known yet.
  int64_t tables_copied = 0;
  int64_t steps_done = 0;
  int64_t steps_total = 0;
  int64_t bytes = 0;  // Copied.
  // Estimate; before the database was begun its size on the source, with
  // indexes. -1: not known.
  int64_t bytes_total = -1;
  double bytes_per_second = 0;  // 0: not known.
  // In follow and cutover, as of the last sign of life.
  uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  std::string waiting_for;
  // With the source; kNone: not, or not yet.
  ComparisonResult comparison;
  // Of the last run that failed, or "".
  std::string last_error;
};

struct ServerStatus {
  std::string name;
  // check, prepare (roles and tablespaces), copy (the databases), online follow
  // (all have caught up) and cutover, or done.
  std::string phase;
  std::string waiting_for;  // While it runs.
  bool running = false;
  absl::Time started_at;
  std::optional<absl::Time> heartbeat_at;
  // The target's settings are not what they were (engine/target/fast_target.h).
  bool fast_target = false;
  std::string last_error;
  std::vector<DatabaseStatus> databases;  // In the order of the work.
};

}  // namespace walferry

#endif  // ENGINE_SERVER_SERVER_STATUS_H_
