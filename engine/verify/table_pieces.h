#ifndef ENGINE_VERIFY_TABLE_PIECES_H_
#define ENGINE_VERIFY_TABLE_PIECES_H_

// In which parts a table is read.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/verify/piece.h"
#include "engine/verify/table_pairs.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct TablePieces {
  // Every piece has the same rows on both sides, if the table has. Otherwise
  // only their sums tell: a piece has what stands in some blocks of either
  // side's own.
  bool by_key = false;
  std::vector<Piece> pieces;  // At least one.
};

// The table in one piece.
TablePieces WholeTable();

// How many pieces of about `range_bytes` it has on the source.
int64_t PiecesOf(const TablePair& table, uint64_t range_bytes);

// Ranges of keys between boundaries, one more than there are of them. A
// boundary has a text for each column of the key, and is the last key of its
// range.
using KeyBoundary = std::vector<std::string>;
TablePieces PiecesBetween(const TablePair& table,
                          const std::vector<KeyBoundary>& boundaries);

// The boundaries of `pieces` ranges, or fewer if the sample has not so many
// keys: of the source's keys, in a sample that is the same as long as the table
// is. None if the rows on disk are not about in the key's order: each range
// would read most of the table.
absl::StatusOr<std::vector<KeyBoundary>> SampleBoundaries(
    PgConnection& source, const TablePair& table, int64_t pieces);

// Blocks of either side, where servers can read them by themselves (since 14)
// and the table has blocks of its own; else the whole table.
TablePieces BlockPieces(const TablePair& table, int64_t pieces,
                        int source_version, int target_version);

}  // namespace walferry

#endif  // ENGINE_VERIFY_TABLE_PIECES_H_
