#ifndef APPLY_NET_CHANGES_H_
#define APPLY_NET_CHANGES_H_

// What a run of changes of one table comes down to: each row of the target is
// deleted at most once, and updated or inserted at most once; of equal rows
// without a key so many of each.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <memory_resource>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/types/span.h"
#include "apply/change_batch.h"
#include "apply/change_counts.h"
#include "apply/column_set.h"
#include "apply/row_counts.h"
#include "apply/table_mapping.h"
#include "protocol/tuple.h"

namespace walferry {

// Folded by key: insert and update become an insert, insert and delete nothing,
// two updates one, update and delete a delete, delete and insert both (deletes
// are applied first), a changed key a delete and an insert. An unchanged value
// is taken from the row's earlier change, if it has one.
//
// Keys are told apart by their bytes. That is exact, though equal values may
// look different: a row of the target looks like the source's, and pgoutput
// sends the old key as soon as a byte of it changes.
//
// Where whole rows stand for the key, several may be equal, so they are
// counted, and an update is a delete and an insert.
//
// Views the rows of the changes, which outlive it.
class NetChanges {
 public:
  explicit NetChanges(std::shared_ptr<const TableMapping> table);
  NetChanges(const NetChanges&) = delete;
  NetChanges& operator=(const NetChanges&) = delete;

  const std::shared_ptr<const TableMapping>& table() const { return table_; }

  // False: the change must be applied by itself, behind those before it and
  // ahead of those after it, and nothing was taken. Its net effect needs a
  // value that was not sent, or it contradicts the changes before it.
  bool Add(const Change& change);

  // False: Add() takes no change of this kind.
  bool Takes(ChangeKind kind) const;

  // What Add() has taken.
  const ChangeCounts& taken() const { return taken_; }

  bool empty() const { return rows_.empty() && counts_.empty(); }
  void Clear();

  struct Row {
    absl::Span<const Column> key;  // Has the lookup's columns.
    absl::Span<const Column> row;  // Update, insert: the new values.
  };
  // Kept for their memory; overwritten by the next call.
  struct Result {
    struct Updates {
      ColumnSet unchanged;
      std::vector<Row> rows;
    };
    std::vector<Row> deletes;
    std::vector<Updates> updates;  // By what they leave as it is.
    std::vector<Row> inserts;
    // That came down to these rows, or to nothing: all that were taken.
    int64_t changes = 0;

    // Of all lists.
    size_t rows() const;
    // Of all lists, in rows.
    size_t capacity() const;
  };
  Result& Finish();

  // An update of all columns may as well be a delete and an insert: there are
  // no columns of the target's own that would be lost.
  bool can_replace() const { return !has_own_columns_; }

 private:
  enum class State : uint8_t {
    kUpdated,
    kInserted,
    kDeleted,
    kReplaced,  // Deleted, then inserted.
    kGone,      // Inserted, then deleted.
  };
  struct NetRow {
    State state = State::kUpdated;
    uint32_t next = 0;  // Of the same hash; kNone: none.
    uint32_t changes = 0;
    size_t hash = 0;
    absl::Span<const Column> key;
    absl::Span<const Column> row;
  };
  static constexpr uint32_t kNone = UINT32_MAX;

  bool Fits(absl::Span<const Column> row) const;
  bool Fold(const Change& change);
  bool AddByValues(const Change& change);
  bool AddInsert(absl::Span<const Column> row);
  // `changes`: 0 for one half of a change.
  bool AddDelete(absl::Span<const Column> key, uint32_t changes = 1);
  bool AddUpdate(const Change& change);
  bool ChangeKey(const Change& change);

  // There are no others so far. Inserts alone, and deletes alone, concern a row
  // once, so that nothing needs to be found.
  bool OnlyOf(State state) const;
  // False: a row is there twice.
  bool Index();

  size_t Hash(absl::Span<const Column> key) const;
  bool SameKey(absl::Span<const Column> a, absl::Span<const Column> b) const;
  bool HasKey(absl::Span<const Column> row) const;
  NetRow* Find(absl::Span<const Column> key, size_t hash);
  void Append(State state, absl::Span<const Column> key,
              absl::Span<const Column> row, size_t hash, uint32_t changes = 1);

  Result::Updates& UpdatesLike(absl::Span<const Column> row);

  // `newer`, and what it leaves unchanged as in `older`.
  absl::Span<const Column> Merge(absl::Span<const Column> older,
                                 absl::Span<const Column> newer);
  static bool IsWhole(absl::Span<const Column> row);

  const std::shared_ptr<const TableMapping> table_;
  const bool has_values_;         // Columns that are not generated.
  const bool has_own_columns_;    // The target's, which the source has not.
  const bool has_free_identity_;  // GENERATED ALWAYS, and not in the key.
  const bool keys_are_unique_;
  RowCounts counts_;  // Without a key, instead of rows_.
  std::pmr::monotonic_buffer_resource merged_;
  std::vector<NetRow> rows_;
  bool indexed_ = false;
  absl::flat_hash_map<size_t, uint32_t> index_;  // Hash to the last row of it.
  ChangeCounts taken_;
  Result result_;
};

}  // namespace walferry

#endif  // APPLY_NET_CHANGES_H_
