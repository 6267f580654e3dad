#ifndef ENGINE_VERIFY_TABLE_WORK_H_
#define ENGINE_VERIFY_TABLE_WORK_H_

// How far the comparison of one table is.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/verify/piece.h"
#include "engine/verify/row_differences.h"
#include "engine/verify/table_pairs.h"
#include "engine/verify/table_pieces.h"
#include "engine/verify/verification.h"

namespace walferry {

class TableWork {
 public:
  // The pair outlives it.
  explicit TableWork(const TablePair& pair);

  // Some of the cut's pieces are to be compared. `kept` were found equal
  // before, with so many rows.
  void Begin(const TablePieces& cut, std::vector<size_t> chosen, int64_t kept,
             int64_t kept_rows);
  // Of a piece. Whether they are the last ones: those of blocks say something
  // only together.
  bool AddDigests(const DigestPair& digests);
  // Only some of the pieces' rows are looked at.
  void SetRowsSampled() { rows_sampled_ = true; }
  void AddFindings(size_t piece, RowFindings findings);
  // Of a piece that differs, and in which nobody looks for rows.
  void LeaveOutRows() { verdict_.rows_left_out = verdict_.at_least = true; }
  // Nobody knows; the first reason stands.
  void Fail(const absl::Status& why);

  // To be called once for each piece that was begun with; whether it was the
  // last one.
  bool PieceDone() { return --left_ == 0; }
  void End(const RowLook& look, int64_t max_reported);

  const TablePair& pair() const { return pair_; }
  const TablePieces& cut() const { return cut_; }
  const DigestPair& digests() const { return digests_; }
  const std::vector<size_t>& chosen() const { return chosen_; }
  bool failed() const { return failed_; }
  int64_t left() const { return left_; }
  int64_t found() const { return found_; }
  TableVerdict& verdict() { return verdict_; }
  int64_t rows() const { return digests_.source.rows; }

 private:
  void LeaveToClients();
  void EndFailed(const RowLook& look);
  bool DigestsDiffer(const RowLook& look) const;

  const TablePair& pair_;
  TablePieces cut_;
  std::vector<size_t> chosen_;
  int64_t left_ = 0;
  size_t digested_ = 0;
  bool rows_sampled_ = false;
  DigestPair digests_;
  bool range_differs_ = false;
  // By piece: workers find them in any order.
  std::map<size_t, std::vector<RowDifference>> rows_;
  int64_t found_ = 0;
  bool failed_ = false;
  absl::Time begun_;
  TableVerdict verdict_;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_TABLE_WORK_H_
