#ifndef ENGINE_VERIFY_RANGE_REPAIR_H_
#define ENGINE_VERIFY_RANGE_REPAIR_H_

// What makes the rows of one range of the target as those of the source.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/verify/repair_sink.h"
#include "engine/verify/repair_sql.h"
#include "engine/verify/repair_table.h"
#include "engine/verify/row_comparison.h"
#include "engine/verify/row_search.h"
#include "engine/verify/row_values.h"
#include "engine/verify/snapshot_pair.h"

namespace walferry {

struct RepairCounts {
  int64_t inserted = 0, deleted = 0, updated = 0;

  bool none() const { return inserted + deleted + updated == 0; }
  RepairCounts& operator+=(const RepairCounts& other) {
    inserted += other.inserted;
    deleted += other.deleted;
    updated += other.updated;
    return *this;
  }
};

// Whether PrepareToCompare has set 15 digits of a float, which tell not every
// float from its neighbours.
bool RoundsFloats(const SessionPair& sessions);

using ValuesByPlace = absl::flat_hash_map<RowPlace, RowValues>;

// Search, then Delete, then Write, and this as often as rows are left out. What
// is deleted before anything is written is in nobody's way: not even the rows
// of another range, if both are repaired at once.
//
// Memory is bounded: `max_rows` places, and the values of some rows.
class RangeRepair {
 public:
  // What is referred to outlives it.
  RangeRepair(SessionPair& sessions, const RepairTable& table,
              const DifferingPiece& range, const RowLook& look,
              int64_t max_rows);

  const RepairTable& table() const { return table_; }
  const DifferingPiece& range() const { return range_; }
  // 'public.orders, rows where ("id") > (5)'.
  std::string Name() const;

  // The range's digests of now.
  absl::StatusOr<DigestPair> Digests();
  // kFailedPrecondition: there are rows that cannot be repaired.
  absl::Status Search(const DigestPair& digests);
  absl::Status Delete(RepairSink& sink);
  absl::Status Write(RepairSink& sink);

  size_t rows() const { return found_.rows.size(); }
  bool left_out() const { return found_.left_out; }
  const RepairCounts& counts() const { return counts_; }

 private:
  using Rows = std::vector<const FoundRow*>;
  using BatchWork =
      std::function<absl::Status(absl::Span<const FoundRow* const>)>;

  Rows OfKind(RowDifference::Kind kind) const;
  absl::Status InBatches(const Rows& rows, bool both, const BatchWork& work);
  absl::StatusOr<ValuesByPlace> ReadValues(
      PgConnection& session, const TableSide& side, absl::string_view side_name,
      absl::Span<const FoundRow* const> rows,
      std::optional<RowPlace> FoundRow::*place);
  absl::Status FindReplaced();
  absl::Status DeleteRows(absl::Span<const FoundRow* const> rows,
                          RepairSink& sink);
  absl::Status DeleteCopies(RepairSink& sink);
  absl::Status DeleteSomeCopies(absl::Span<const FoundRow* const> rows,
                                RepairSink& sink);
  absl::Status Insert(RepairSink& sink);
  absl::Status Update(absl::Span<const FoundRow* const> rows, RepairSink& sink);

  SessionPair& sessions_;
  const RepairTable& table_;
  const TablePair& pair_;
  const DifferingPiece& range_;
  const RowLook look_;
  const int64_t max_rows_;
  std::vector<std::string> written_;  // Quoted.
  FoundRows found_;
  // Of those that are different.
  absl::flat_hash_set<const FoundRow*> replaced_;
  RepairCounts counts_;
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_RANGE_REPAIR_H_
