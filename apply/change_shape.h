#ifndef APPLY_CHANGE_SHAPE_H_
#define APPLY_CHANGE_SHAPE_H_

// All of a change that the text of its statements depends on.

#include <utility>

#include "absl/status/statusor.h"
#include "apply/change_batch.h"
#include "apply/column_set.h"
#include "apply/table_mapping.h"

namespace walferry {

// Whether an update changes a GENERATED ALWAYS identity column.
enum class IdentityChange : char {
  kNo,
  kYes,
  // The change does not tell: it depends on the target's row.
  kUnknown,
};

struct ChangeShape {
  ChangeKind kind = ChangeKind::kInsert;
  // Update: the row is found by the old row's values, not by the new one's.
  bool found_by_old_row = false;
  IdentityChange identity_change = IdentityChange::kNo;
  ColumnSet unchanged;    // Update: columns whose values were not sent.
  ColumnSet null_lookup;  // Of the lookup columns, those that are NULL.
  bool binary = false;    // Values are in binary form.

  friend bool operator==(const ChangeShape&, const ChangeShape&) = default;
  template <typename H>
  friend H AbslHashValue(H h, const ChangeShape& shape) {
    return H::combine(std::move(h), shape.kind, shape.found_by_old_row,
                      shape.identity_change, shape.unchanged, shape.null_lookup,
                      shape.binary);
  }
};

// Of an insert, update or delete. kFailedPrecondition: the change cannot be
// applied exactly (a value was not sent, or the row cannot be found);
// kDataLoss: its rows do not fit its relation.
absl::StatusOr<ChangeShape> ShapeOf(const TableMapping& table,
                                    const Change& change);

}  // namespace walferry

#endif  // APPLY_CHANGE_SHAPE_H_
