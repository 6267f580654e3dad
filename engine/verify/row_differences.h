#ifndef ENGINE_VERIFY_ROW_DIFFERENCES_H_
#define ENGINE_VERIFY_ROW_DIFFERENCES_H_

// Names the rows that make two digests differ.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/verify/piece.h"
#include "engine/verify/row_room.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/verification.h"

namespace walferry {

// Of a part of a table. rows_left_out: `rows` are not all that differ;
// at_least: nor were all of them counted.
struct RowFindings {
  int64_t missing = 0, extra = 0, different = 0;
  std::vector<RowDifference> rows;
  bool rows_left_out = false;
  bool at_least = false;
};

// SearchRows, with what is in the rows, as many as `room` has room for.
absl::StatusOr<RowFindings> FindRowDifferences(SessionPair& sessions,
                                               const TablePair& table,
                                               const Piece& piece,
                                               const RowLook& look,
                                               const DigestPair& digests,
                                               int64_t max_rows, RowRoom& room);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_DIFFERENCES_H_
