#ifndef ENGINE_VERIFY_PIECE_H_
#define ENGINE_VERIFY_PIECE_H_

// A part of a table, and what the two sides have of it.

#include <cstdint>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/table_pairs.h"

namespace walferry {

// Conditions in SQL for the part's rows on either side; "": all of them.
struct Piece {
  std::string source_condition;
  std::string target_condition;
  // They are ranges of an index that both sides have.
  bool by_index = false;
};

// Rows, and the sum of their hashes: the same for the same rows in any order,
// and another one when two rows exchange a value or one is there twice.
struct Digest {
  int64_t rows = 0;
  absl::int128 sum = 0;

  Digest& operator+=(const Digest& other) {
    rows += other.rows;
    sum += other.sum;
    return *this;
  }
  friend bool operator==(const Digest& a, const Digest& b) {
    return a.rows == b.rows && a.sum == b.sum;
  }
};

struct DigestPair {
  Digest source;
  Digest target;
};

// How the rows of a run are looked at.
struct RowLook {
  RowHash hash = RowHash::kHashText;
  bool count_only = false;  // Digests have no sum.
  // What only the target has is counted, and not looked at.
  bool clients_write = false;
};

// kInternal: a row has no hash, so that nobody knows what is in it.
absl::StatusOr<DigestPair> DigestPiece(SessionPair& sessions,
                                       const TablePair& table,
                                       const Piece& piece, const RowLook& look);

// The planner's settings for a piece, to stand before the statement that reads
// it, and the WHERE clause of one side with `more` ("" or a condition).
std::string PlannerSql(const Piece& piece);
std::string WhereSql(const TablePair& table, absl::string_view condition,
                     absl::string_view more = "");

// A sum of bigint as the server prints it.
absl::StatusOr<absl::int128> ParseSum(absl::string_view text);

}  // namespace walferry

#endif  // ENGINE_VERIFY_PIECE_H_
