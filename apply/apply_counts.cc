#include "apply/apply_counts.h"

namespace walferry {

ApplyCounts CountsOf(const ChangeBatch& batch) {
  ApplyCounts counts;
  for (const Change& change : batch.changes()) {
    switch (change.kind) {
      case ChangeKind::kInsert:
        ++counts.inserts;
        break;
      case ChangeKind::kUpdate:
        ++counts.updates;
        break;
      case ChangeKind::kDelete:
        ++counts.deletes;
        break;
      case ChangeKind::kTruncate:
        ++counts.truncates;
        break;
    }
  }
  counts.transactions = static_cast<int64_t>(batch.transactions().size()) -
                        (batch.open() ? 1 : 0);
  return counts;
}

}  // namespace walferry
