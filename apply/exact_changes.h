#ifndef APPLY_EXACT_CHANGES_H_
#define APPLY_EXACT_CHANGES_H_

// Change by change, in source order, with the rules of PostgreSQL's own apply
// worker: what is right for every change, and what every faster way falls back
// to.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "apply/applied_counts.h"
#include "apply/apply_session.h"
#include "apply/change_batch.h"
#include "apply/change_shape.h"
#include "apply/statement.h"
#include "apply/statement_cache.h"
#include "apply/table_cache.h"
#include "apply/target_transaction.h"

namespace walferry {

// Sends changes through the transaction's pipeline; what the target says of
// them comes with the pipeline's results.
class ExactChanges {
 public:
  // All outlive this. The tables of every change are loaded.
  ExactChanges(ApplySession& session, TargetTransaction& transaction,
               const TableCache& tables, AppliedCounts& applied);

  // Before the first Send() for a batch, and when the pipeline was entered
  // again. `batch` lives until the next one.
  void Start(const ChangeBatch& batch);

  // The changes [first, last) of the batch. A row of the target that is missing
  // or found twice fails the pipeline. Where this itself fails,
  // current_change() is the one that it could not send.
  absl::Status Send(size_t first, size_t last);

  std::optional<size_t> current_change() const { return current_change_; }
  // The change that the statement `index` of the pipeline belongs to, if any.
  std::optional<size_t> ChangeOf(int64_t index) const;
  // "update_missing" or "delete_missing" if that was the failure.
  const std::string& conflict_type() const { return conflict_type_; }

 private:
  // What a result belongs to. Small, so that callbacks allocate nothing.
  struct Part {
    uint32_t change = 0;  // Index in the batch.
    bool first = true;    // Of the change's statements.
    bool last = true;
  };
  struct Sent {
    int64_t statement = 0;  // The change's first one in the pipeline.
    size_t change = 0;      // kNone: here begins what is not ours.
  };
  static constexpr size_t kNone = SIZE_MAX;

  absl::Status SendRow(size_t index);
  absl::Status SendTruncate(size_t index);
  absl::Status CheckTouched(Part part, int64_t rows);

  TargetTransaction& transaction_;
  const TableCache& tables_;
  AppliedCounts& applied_;
  StatementCache<ChangeShape> statements_;

  const ChangeBatch* batch_ = nullptr;
  std::vector<Sent> sent_;
  std::optional<size_t> current_change_;
  int64_t touched_ = 0;  // Rows, by the statements of one change.
  std::string conflict_type_;
  std::vector<PgParam> params_;  // Kept for its memory.
};

}  // namespace walferry

#endif  // APPLY_EXACT_CHANGES_H_
