#ifndef APPLY_TABLE_MAPPING_H_
#define APPLY_TABLE_MAPPING_H_

// How a published relation's rows become rows of a target table.

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apply/source_relation.h"
#include "apply/target_table.h"

namespace walferry {

// The rules of PostgreSQL's relation.c: columns are matched by exact name,
// text goes through the target's types, whatever the source's are, and columns
// that only the target has keep their defaults.
struct TableMapping {
  SourceRelation source;
  TargetTable target;

  // The index in target.columns of each source column.
  std::vector<size_t> target_columns;

  // The source columns by whose values an old row is found: those of the
  // target's key, or all (FULL).
  std::vector<size_t> lookup;
  // `lookup` is a key. Otherwise several rows may match, and one is meant.
  bool lookup_is_key = false;

  // The source columns of each of target.other_keys whose values can be
  // compared and are all sent.
  std::vector<std::vector<size_t>> other_keys;

  // Why updates and deletes cannot be applied; inserts can.
  absl::Status updatable;
  // Why values in binary form cannot be applied; text can. OK if each column is
  // of the same portable type on both sides, otherwise IsTextNeeded().
  absl::Status takes_binary;

  // The source columns whose values an inserted row gets, in their order: all
  // but those that the target generates.
  std::vector<size_t> FilledColumns() const;
  // Rows are told apart by nothing but their values.
  bool lookup_is_row() const { return !lookup_is_key && !lookup.empty(); }
  // The target has columns with values of their own that the source has not.
  bool HasOwnColumns() const;

  const TargetColumn& TargetOf(size_t source_column) const {
    return target.columns[target_columns[source_column]];
  }
};

// kFailedPrecondition: the target lacks columns (all are named).
absl::StatusOr<TableMapping> MapTable(const SourceRelation& source,
                                      TargetTable target);

}  // namespace walferry

#endif  // APPLY_TABLE_MAPPING_H_
