#ifndef APPLY_APPLIED_COUNTS_H_
#define APPLY_APPLIED_COUNTS_H_

// The check that every change is applied once: who decodes counts the changes
// of a batch, table by table, who applies counts those that the target has
// taken, and a batch whose counts differ is not committed.

#include "absl/status/status.h"
#include "apply/change_batch.h"
#include "apply/change_counts.h"
#include "apply/table_counts.h"
#include "protocol/quoting.h"

namespace walferry {

// What a change counts as is decided where its result comes in: a single
// statement touched its one row, or a set touched as many rows as its changes
// were folded into. Changes that undo each other are applied with their batch.
class AppliedCounts {
 public:
  // Nothing of the batch is applied.
  void Start(const ChangeBatch& batch);

  void Add(const QualifiedName& table, const ChangeCounts& counts);
  void Add(const QualifiedName& table, ChangeKind kind);

  // For a rollback to a savepoint.
  CountsByTable Mark() const { return batch_; }
  void ReturnTo(CountsByTable mark);

  // kInternal, naming the table: a change of the batch was lost, or applied
  // twice.
  absl::Status Check() const;

  // The batch is applied, and its transaction goes on in the next one.
  void Carry();
  // With the batches before it in the open transaction.
  CountsByTable Totals() const;
  // They are committed.
  void Clear();

 private:
  CountsByTable batch_;
  CountsByTable carried_;
  // Of batch_, the last one added to: most changes are of the same table as
  // the change before.
  CountsByTable::value_type* last_ = nullptr;
};

}  // namespace walferry

#endif  // APPLY_APPLIED_COUNTS_H_
