#ifndef ENGINE_VERIFY_ROW_REPAIR_H_
#define ENGINE_VERIFY_ROW_REPAIR_H_

// Makes rows that a comparison has found different as they are on the source.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/event.h"
#include "engine/verify/compare_snapshots.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/stream_pause.h"
#include "engine/verify/verification.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct RowRepairOptions {
  bool dry_run = false;
  // That are dealt with at once, of a range; a dry run shows no more.
  int64_t max_rows = 10000;
  // Asked before anything is written, of a session that sees what is now: the
  // comparison may have taken hours.
  std::function<absl::Status(PgConnection& target)> may_write;
  // Where a stream goes on behind the snapshots: what stands for them. When it
  // goes on, the range that is at work and those behind it are left to a later
  // call. May be null.
  StreamPause* pause = nullptr;
};

struct RowRepairResult {
  RepairReport report;
  // Which it did not repair, as the stream went on, and why. The one that was
  // at work then is the last.
  std::vector<DifferingPiece> left;
  absl::Status why_left;
  std::vector<std::string> remarks;
};

// Of the snapshots in which `rows` were compared. Each range in a transaction
// of its own, which
//   keeps everybody else from writing to the table,
//   goes no further if the range is not as it was compared (where a stream
//   stands: if it has gone on; what it had brought by then is repaired, too),
//   deletes, inserts and updates what it takes, and
//   commits if the range is as on the source then.
// Otherwise the range is left as it was, and the report says why. Ranges that
// stand in one another's way (unique keys, foreign keys) are tried again behind
// the others, and in the end all at once.
//
// A dry run reads the snapshots only.
//
// An error is of the servers or the operator, as of CompareTableRows; whole
// ranges are repaired then.
absl::StatusOr<RowRepairResult> RepairRows(const RowRepairOptions& options,
                                           const DifferingRows& rows,
                                           SnapshotPair& snapshots,
                                           const Interrupt& interrupt,
                                           EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_REPAIR_H_
