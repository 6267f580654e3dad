#ifndef ENGINE_REPORT_H_
#define ENGINE_REPORT_H_

// What a run did, in figures.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "engine/comparison.h"
#include "protocol/lsn.h"

namespace walferry {

// Totals of a migration over all its runs, or of one follow.
struct Report {
  std::string name;
  // A migration that followed no changes. applied_lsn is then about where the
  // source's log ended when its rows were read.
  bool offline = false;
  int64_t tables = 0;
  int64_t rows_copied = 0;
  int64_t bytes_copied = 0;
  int64_t transactions_applied = 0;
  int64_t inserts = 0;
  int64_t updates = 0;
  int64_t deletes = 0;
  int64_t truncates = 0;
  int64_t sequences_set = 0;
  int64_t materialized_views_refreshed = 0;
  Lsn applied_lsn;
  // The source was still, so many seconds, until the target was complete;
  // infinite when there was no cutover.
  absl::Duration freeze_to_done = absl::InfiniteDuration();
  absl::Duration elapsed;  // Of this run.
  // When the migration's first run began, by its ledger; infinite past: it has
  // none.
  absl::Time begun = absl::InfinitePast();
  // With the source, of a migration.
  ComparisonResult comparison;
  // What was left undone or is for the operator to do, one sentence each.
  std::vector<std::string> remarks;
};

}  // namespace walferry

#endif  // ENGINE_REPORT_H_
