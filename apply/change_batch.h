#ifndef APPLY_CHANGE_BATCH_H_
#define APPLY_CHANGE_BATCH_H_

// A run of source transactions, with the bytes of their rows: what is applied
// as one target transaction.

#include <cstdint>
#include <memory>
#include <memory_resource>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/change_counts.h"
#include "apply/source_relation.h"
#include "protocol/lsn.h"
#include "protocol/pgoutput.h"
#include "protocol/tuple.h"

namespace walferry {

// One row's change, or a truncate. Views the batch's memory. Every value that
// is not NULL or unchanged is followed by a NUL byte (outside the view), so
// that it can be handed to libpq as it is.
struct Change {
  ChangeKind kind = ChangeKind::kInsert;
  OldRow old_kind = OldRow::kNone;
  bool restart_identity = false;             // Truncate.
  const SourceRelation* relation = nullptr;  // Null for truncate.
  absl::Span<const Column> old_row;          // Update, delete.
  absl::Span<const Column> row;              // Insert, update.
  absl::Span<const SourceRelation* const> truncated;
};

// A source transaction, or the part of one that this batch holds.
struct BatchTransaction {
  uint32_t xid = 0;
  Lsn commit_lsn;
  Lsn end_lsn;              // Known once `complete`.
  int64_t commit_time = 0;  // pg_time.h.
  size_t first_change = 0;
  size_t change_count = 0;
  // False only for the last of a batch: its rest comes with the next batches,
  // and the target transaction stays open until then.
  bool complete = false;
  // True only for the first of a batch: its beginning was in earlier batches.
  bool continued = false;
};

// What was decoded of a table.
struct DecodedTable {
  std::shared_ptr<const SourceRelation> relation;
  ChangeCounts counts;
};

// Built by one thread, then handed to another; never shared. Everything added
// is copied once. Not movable while views of it are held.
class ChangeBatch {
 public:
  ChangeBatch();
  ChangeBatch(const ChangeBatch&) = delete;
  ChangeBatch& operator=(const ChangeBatch&) = delete;

  // Order: Begin, changes, Commit, Begin, ... A batch may start with Continue
  // instead of Begin and may end without Commit.
  void BeginTransaction(const Begin& begin);
  void ContinueTransaction(const BatchTransaction& open);
  void AddInsert(const std::shared_ptr<const SourceRelation>& relation,
                 const Insert& insert);
  void AddUpdate(const std::shared_ptr<const SourceRelation>& relation,
                 const Update& update);
  void AddDelete(const std::shared_ptr<const SourceRelation>& relation,
                 const Delete& message);
  void AddTruncate(
      absl::Span<const std::shared_ptr<const SourceRelation>> relations,
      bool restart_identity);
  void CommitTransaction(const Commit& commit);

  // Who decodes counts what he has decoded for the batch, apart from what he
  // adds to it: by that it is checked that every change was applied
  // (applied_counts.h). A table may be added again.
  size_t AddDecodedTable(const std::shared_ptr<const SourceRelation>& relation);
  void CountDecoded(size_t table, ChangeKind kind) {
    ++decoded_[table].counts.of(kind);
  }
  absl::Span<const DecodedTable> decoded() const { return decoded_; }

  absl::Span<const Change> changes() const { return changes_; }
  absl::Span<const BatchTransaction> transactions() const {
    return transactions_;
  }
  // No transaction at all, not even an empty one.
  bool empty() const { return transactions_.empty(); }
  // The last transaction goes on in the next batch.
  bool open() const {
    return !transactions_.empty() && !transactions_.back().complete;
  }
  // The end of the last complete transaction; 0/0 if there is none.
  Lsn end_lsn() const;
  int64_t commit_time() const;

  // A value is in binary form.
  bool has_binary() const { return has_binary_; }

  // Bytes held: rows, and the arrays of transactions, changes and columns.
  size_t bytes() const { return bytes_; }

 private:
  const BatchTransaction* last_complete() const;
  void Add(const Change& change);
  void AddTransaction(const BatchTransaction& transaction);
  absl::Span<const Column> CopyRow(const TupleView& row);
  void Hold(const std::shared_ptr<const SourceRelation>& relation);

  std::pmr::monotonic_buffer_resource arena_;
  std::vector<Change> changes_;
  std::vector<BatchTransaction> transactions_;
  // What the changes point to, each once; `held_` finds those that are there.
  std::vector<std::shared_ptr<const SourceRelation>> relations_;
  absl::flat_hash_set<const SourceRelation*> held_;
  std::vector<DecodedTable> decoded_;
  size_t bytes_ = 0;
  bool has_binary_ = false;
};

}  // namespace walferry

#endif  // APPLY_CHANGE_BATCH_H_
