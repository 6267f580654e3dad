#ifndef ENGINE_VERIFY_ROW_SEARCH_H_
#define ENGINE_VERIFY_ROW_SEARCH_H_

// Finds the rows that make two digests differ, and where they are.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/verify/piece.h"
#include "engine/verify/row_values.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/verification.h"

namespace walferry {

// A row that is not the same on both sides. Of a table without a key: equal
// rows, one of which is at the place.
struct FoundRow {
  RowDifference::Kind kind = RowDifference::Kind::kMissing;
  std::optional<RowPlace> source;  // nullopt: it is not there.
  std::optional<RowPlace> target;
  // Of the target's row, as the server prints it; of a table without a key, of
  // either side's.
  std::string hash;
  int64_t source_count = 1;
  int64_t target_count = 1;
};

// left_out: `rows` are not all that differ; at_least: nor were all of them
// counted. With RowLook::clients_write, what only the target has is counted
// alone.
struct FoundRows {
  int64_t missing = 0, extra = 0, different = 0;
  std::vector<FoundRow> rows;
  bool left_out = false;
  bool at_least = false;
};

// Reads the piece again on both sides: once in buckets by hash of the key (of
// the row, if there is none), so that it is known which buckets differ, and
// once those buckets' rows, hash by hash. At most `max_rows` are kept.
//
// Bounded: buckets with more rows than that are read a part at a time, and no
// more of them once max_rows are found: some in any case, to be counted.
absl::StatusOr<FoundRows> SearchRows(SessionPair& sessions,
                                     const TablePair& table, const Piece& piece,
                                     const RowLook& look,
                                     const DigestPair& digests,
                                     int64_t max_rows);

}  // namespace walferry

#endif  // ENGINE_VERIFY_ROW_SEARCH_H_
