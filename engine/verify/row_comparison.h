#ifndef ENGINE_VERIFY_ROW_COMPARISON_H_
#define ENGINE_VERIFY_ROW_COMPARISON_H_

// Compares the rows of many tables at once.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/ledger/verify_notes.h"
#include "engine/verify/piece.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/verification.h"

namespace walferry {

struct RowComparisonOptions {
  VerifyMethod method = VerifyMethod::kChecksum;  // kCounts, kSample likewise.
  RowHash hash = RowHash::kHashText;
  int jobs = 2;
  double sample_percent = 5;
  uint64_t seed = 1;
  uint64_t range_bytes = uint64_t{64} << 20;
  int64_t max_reported = 10000;
  // Of rows that are kept of all tables, about, so that memory is bounded.
  int64_t max_reported_bytes = int64_t{128} << 20;
  // What only the target has is no difference (VerifyShare::kBehindClients).
  bool clients_write = false;
  // Whose rows they are: notes of others do not count.
  std::string databases;
  absl::Duration progress_interval = absl::Seconds(1);
};

// A part of a table that differs. Of a table whose parts are blocks, all of it.
struct DifferingPiece {
  size_t table = 0;  // Its place among the pairs.
  Piece piece;
  DigestPair digests;
};

struct RowComparisonResult {
  std::vector<TableVerdict> tables;       // In the order of the pairs.
  std::vector<DifferingPiece> differing;  // By table; none of kCounts.
  std::vector<std::string> remarks;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// With `jobs` threads, each with a session on either side; tables in their
// order. What is found equal is written down in `notes` (null: nowhere), and
// what they have is not compared again. Sends Progress (phase verify).
//
// A table that cannot be read is a verdict; an error is of the servers or the
// operator: kUnavailable (a session or a snapshot was lost), kCancelled.
absl::StatusOr<RowComparisonResult> CompareTableRows(
    const RowComparisonOptions& options, SnapshotPair& snapshots,
    const std::vector<TablePair>& pairs, VerifyNotes* notes,
    const Control& control, EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_COMPARISON_H_
