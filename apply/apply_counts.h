#ifndef APPLY_APPLY_COUNTS_H_
#define APPLY_APPLY_COUNTS_H_

// How much was applied.

#include <cstdint>

#include "apply/change_batch.h"

namespace walferry {

struct ApplyCounts {
  int64_t inserts = 0;
  int64_t updates = 0;
  int64_t deletes = 0;
  int64_t truncates = 0;
  int64_t transactions = 0;
};

inline ApplyCounts Sum(const ApplyCounts& a, const ApplyCounts& b) {
  return {.inserts = a.inserts + b.inserts,
          .updates = a.updates + b.updates,
          .deletes = a.deletes + b.deletes,
          .truncates = a.truncates + b.truncates,
          .transactions = a.transactions + b.transactions};
}

// Without the transactions.
inline int64_t Changes(const ApplyCounts& counts) {
  return counts.inserts + counts.updates + counts.deletes + counts.truncates;
}

// Of what the batch holds; a transaction counts with the batch that it ends in.
ApplyCounts CountsOf(const ChangeBatch& batch);

}  // namespace walferry

#endif  // APPLY_APPLY_COUNTS_H_
