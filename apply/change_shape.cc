#include "apply/change_shape.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status CheckSize(const TableMapping& table, absl::string_view row,
                       size_t size) {
  const size_t columns = table.source.columns.size();
  if (size == columns) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the ", row, " row has ", size, " columns, its relation has ", columns));
}

absl::Status NotSent(const TableMapping& table, size_t column) {
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the source did not send the value of column \"",
          table.source.columns[column].name,
          "\": it is an unchanged TOASTed value of an UPDATE that the "
          "publication's row filter turned into an INSERT")),
      "with REPLICA IDENTITY FULL on the source's table such values are sent");
}

absl::StatusOr<ChangeShape> ShapeOfInsert(const TableMapping& table,
                                          const Change& change) {
  RETURN_IF_ERROR(CheckSize(table, "new", change.row.size()));
  for (size_t column = 0; column < change.row.size(); ++column) {
    if (change.row[column].kind != ColumnKind::kUnchanged) continue;
    if (!table.TargetOf(column).generated) return NotSent(table, column);
  }
  return ChangeShape{.kind = ChangeKind::kInsert};
}

// By the old row or, where that is not sent because the key is the same, by
// the new one.
absl::StatusOr<ColumnSet> NullLookup(const TableMapping& table,
                                     absl::Span<const Column> row) {
  ColumnSet nulls;
  for (const size_t column : table.lookup) {
    switch (row[column].kind) {
      case ColumnKind::kNull:
        nulls.Add(column);
        break;
      case ColumnKind::kUnchanged:
        return absl::DataLossError(
            absl::StrCat("the source did not send the key column \"",
                         table.source.columns[column].name, "\" of the row"));
      case ColumnKind::kText:
      case ColumnKind::kBinary:
        break;
    }
  }
  return nulls;
}

bool HasOldValue(const TableMapping& table, const Change& change,
                 size_t column) {
  return change.old_kind == OldRow::kFull ||
         (change.old_kind == OldRow::kKey && table.source.columns[column].key);
}

bool SameValue(const Column& a, const Column& b) {
  return a.kind == b.kind && a.value == b.value;
}

IdentityChange IdentityChangeOf(const TableMapping& table,
                                const Change& change) {
  IdentityChange result = IdentityChange::kNo;
  for (size_t column = 0; column < change.row.size(); ++column) {
    if (!table.TargetOf(column).identity_always) continue;
    if (change.row[column].kind == ColumnKind::kUnchanged) continue;
    if (HasOldValue(table, change, column)) {
      if (!SameValue(change.old_row[column], change.row[column])) {
        return IdentityChange::kYes;
      }
    } else if (!table.source.columns[column].key) {
      result = IdentityChange::kUnknown;
    }
    // Otherwise it is part of a key that did not change.
  }
  return result;
}

absl::StatusOr<ChangeShape> ShapeOfUpdate(const TableMapping& table,
                                          const Change& change) {
  RETURN_IF_ERROR(table.updatable);
  RETURN_IF_ERROR(CheckSize(table, "new", change.row.size()));
  ChangeShape shape{.kind = ChangeKind::kUpdate,
                    .found_by_old_row = change.old_kind != OldRow::kNone};
  if (shape.found_by_old_row) {
    RETURN_IF_ERROR(CheckSize(table, "old", change.old_row.size()));
  }
  ASSIGN_OR_RETURN(
      shape.null_lookup,
      NullLookup(table, shape.found_by_old_row ? change.old_row : change.row));
  for (size_t column = 0; column < change.row.size(); ++column) {
    if (change.row[column].kind == ColumnKind::kUnchanged) {
      shape.unchanged.Add(column);
    }
  }
  shape.identity_change = IdentityChangeOf(table, change);
  return shape;
}

absl::StatusOr<ChangeShape> ShapeOfDelete(const TableMapping& table,
                                          const Change& change) {
  RETURN_IF_ERROR(table.updatable);
  RETURN_IF_ERROR(CheckSize(table, "old", change.old_row.size()));
  ChangeShape shape{.kind = ChangeKind::kDelete, .found_by_old_row = true};
  ASSIGN_OR_RETURN(shape.null_lookup, NullLookup(table, change.old_row));
  return shape;
}

absl::StatusOr<ChangeShape> ShapeOfRows(const TableMapping& table,
                                        const Change& change) {
  switch (change.kind) {
    case ChangeKind::kInsert:
      return ShapeOfInsert(table, change);
    case ChangeKind::kUpdate:
      return ShapeOfUpdate(table, change);
    case ChangeKind::kDelete:
      return ShapeOfDelete(table, change);
    case ChangeKind::kTruncate:
      break;
  }
  return absl::InternalError("a truncate has no row");
}

bool HasBinary(absl::Span<const Column> row) {
  return std::any_of(row.begin(), row.end(), [](const Column& column) {
    return column.kind == ColumnKind::kBinary;
  });
}

}  // namespace

absl::StatusOr<ChangeShape> ShapeOf(const TableMapping& table,
                                    const Change& change) {
  ASSIGN_OR_RETURN(ChangeShape shape, ShapeOfRows(table, change));
  shape.binary = HasBinary(change.row) || HasBinary(change.old_row);
  return shape;
}

}  // namespace walferry
