#ifndef ENGINE_STATUS_H_
#define ENGINE_STATUS_H_

// What the ledger tells of a migration, for `walferry status`.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "apply/table_counts.h"
#include "engine/comparison.h"
#include "engine/report.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"

namespace walferry {

struct TableStatus {
  QualifiedName table;
  // "waiting", "copying", "copied".
  std::string state;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t bytes_total = 0;  // Estimate when the plan was made.
};

struct MigrationStatus {
  std::string name;
  // "migrate" or "follow".
  std::string kind;
  std::string phase;  // PhaseName, or "follow" for a plain follow.
  // A process holds the stream's or the migration's lock right now.
  bool running = false;
  absl::Time started_at;
  // The last sign of life of the running process.
  std::optional<absl::Time> heartbeat_at;
  std::string waiting_for;
  Lsn applied_lsn;
  Lsn received_lsn;
  Lsn source_lsn;
  uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  int64_t transactions = 0;
  int64_t changes = 0;
  // By table, those that committed behind counted_since (0/0: they are not
  // counted yet).
  CountsByTable counts;
  Lsn counted_since;
  std::string slot;
  std::vector<std::string> publications;
  int64_t steps_done = 0;   // Of schema and indexes.
  int64_t steps_total = 0;  // 0: not known yet.
  // Of the copy, over its last minutes; 0: not known.
  double bytes_per_second = 0;
  // Clients may work on the target, though rows of delayed tables, or their
  // indexes, may be missing yet (engine/catalog/delayed_tables.h).
  bool usable = false;
  std::vector<TableStatus> tables;
  // With the source, the last one that was noted, or the one that kept clients
  // out; and of all but delayed tables, before clients came.
  ComparisonResult comparison;
  ComparisonResult compared_before_clients;
  // Of the last run that failed, or "".
  std::string last_error;
  // Once done.
  std::optional<Report> report;
};

}  // namespace walferry

#endif  // ENGINE_STATUS_H_
