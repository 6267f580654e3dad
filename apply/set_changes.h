#ifndef APPLY_SET_CHANGES_H_
#define APPLY_SET_CHANGES_H_

// Many changes as few statements: their net effect, table by table, as sets.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/applied_counts.h"
#include "apply/apply_session.h"
#include "apply/change_batch.h"
#include "apply/exact_changes.h"
#include "apply/net_changes.h"
#include "apply/row_array.h"
#include "apply/set_statement.h"
#include "apply/statement_cache.h"
#include "apply/table_cache.h"
#include "apply/table_check.h"
#include "apply/target_transaction.h"

namespace walferry {

// Of each table first the deletes, then the updates, then the inserts: so a
// value of a unique key is free before another row takes it. Only updates that
// exchange such values among each other collide; then whole rows are deleted
// and inserted instead, for a while.
//
// Changes that have no net effect of their own are sent one by one between the
// sets: truncates, changes of tables with triggers, ...
class SetChanges {
 public:
  struct Options {
    // As in BatchApplierOptions.
    size_t min_changes = 0;
    size_t min_changes_per_apart = 0;
    size_t min_copy_rows = 0;
  };

  // All outlive this. The tables of every change are loaded.
  SetChanges(ApplySession& session, TargetTransaction& transaction,
             const TableCache& tables, ExactChanges& exact, TableCheck& check,
             AppliedCounts& applied, const Options& options);

  // Before the first WorthIt() for a batch, which lives until the next one.
  void StartBatch(const ChangeBatch& batch);

  // Whether the changes [first, last) are many enough for sets, and few enough
  // of them must be applied one by one.
  bool WorthIt(size_t first, size_t last) const;

  // Applies the changes [first, last) and waits for the results; the
  // transaction is suspended then. An error tells nothing of a single change.
  // `left_out`, unless null, names changes that are not applied. If they are
  // `to_come`, a collision is rather with what they will change: an error.
  absl::Status Apply(size_t first, size_t last,
                     const std::vector<bool>* left_out = nullptr,
                     bool to_come = false);

 private:
  // Of one table, kept from batch to batch.
  struct Table {
    explicit Table(std::shared_ptr<const TableMapping> mapping)
        : net(std::move(mapping)), apart(net.table()->target.fires_triggers) {}
    NetChanges net;
    NetChanges::Result* rows = nullptr;  // Of `net`, being sent.
    int64_t touched = 0;                 // Rows, by what was sent of them.
    // Whole updates become deletes and inserts, so many more times.
    int replaces = 0;
    // Its changes are not for sets: triggers fire, or some of its values come
    // as text and others binary.
    bool apart;
    // The batch has another relation that is the same table of the target.
    bool is_shared = false;
  };
  struct Sent {
    int64_t statement = 0;  // Of the pipeline.
    size_t table = 0;       // Of touched_.
  };

  // By schema and name, the first of a batch.
  using TablesByTarget =
      absl::flat_hash_map<std::pair<absl::string_view, absl::string_view>,
                          Table*>;
  Table& TableOf(const SourceRelation& relation, TablesByTarget& by_target);
  absl::Status Touch(Table& table);
  absl::Status Flush();
  // Sends the sets of touched_[first] and those behind it.
  absl::Status SendFrom(size_t first);
  void DropTouched();
  bool CanReplace(const Table& table) const;
  std::optional<size_t> CollidedTable(const absl::Status& failure) const;
  absl::Status SendTable(Table& table);
  absl::Status SendSet(Table& table, const SetShape& shape,
                       absl::Span<const NetChanges::Row> rows);
  absl::Status SendArray(Table& table, const SetShape& shape, RowArray& array);
  absl::Status CopyInserts(Table& table);
  absl::Status MixedFormats(Table& table);
  // All of its changes are in the rows that the target has touched.
  absl::Status CountApplied(const Table& table);

  const Options options_;
  ApplySession& session_;
  TargetTransaction& transaction_;
  const TableCache& tables_;
  ExactChanges& exact_;
  TableCheck& check_;
  AppliedCounts& applied_;
  StatementCache<SetShape> statements_;

  absl::flat_hash_map<const TableMapping*, std::unique_ptr<Table>> by_mapping_;
  const ChangeBatch* batch_ = nullptr;
  std::vector<Table*> table_of_;  // Of each change; null for truncates.
  std::vector<Table*> touched_;   // Since the last Flush(), in that order.
  std::vector<Sent> sent_;        // By the last SendFrom().
  bool may_replace_ = true;       // After a collision.
  size_t sending_ = 0;            // Of touched_.
};

}  // namespace walferry

#endif  // APPLY_SET_CHANGES_H_
