#ifndef APPLY_APPLIER_H_
#define APPLY_APPLIER_H_

// What makes a target equal: batches in, durable commits out.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "apply/change_batch.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"

namespace walferry {

// A change that the target would not take: everything an operator needs.
struct Conflict {
  QualifiedName relation;
  ChangeKind kind = ChangeKind::kInsert;
  // "id=7, tenant=3": names and values of the identity columns.
  std::string key;
  uint32_t xid = 0;
  Lsn commit_lsn;
  Lsn end_lsn;
  absl::Time commit_time;
  // "insert_exists", "update_exists", "update_missing", "delete_missing" as
  // PostgreSQL 18 names them, or "error".
  std::string type;
  std::string sqlstate;
  // The server's message, or ours for a missing row.
  std::string message;
};

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

// Not thread-safe: one thread applies.
class Applier {
 public:
  virtual ~Applier() = default;

  // Applies the batch in source order. Unless batch.open(), commits it together
  // with the position batch.end_lsn() and returns only once the commit is
  // durable. An error leaves the position where it was and the target without
  // anything of the batch (and of the open transaction before it); the applier
  // is then of no further use. kFailedPrecondition with conflict() set: a
  // conflict.
  virtual absl::StatusOr<ApplyCounts> Apply(const ChangeBatch& batch) = 0;

  // Stores a position that is ahead of every transaction applied so far,
  // though no transaction ended there: nothing was published up to it.
  virtual absl::Status Advance(Lsn position) = 0;

  virtual const std::optional<Conflict>& conflict() const = 0;

  // How often changes that were applied together had to be applied again in
  // smaller parts.
  virtual int64_t fallbacks() const = 0;
};

}  // namespace walferry

#endif  // APPLY_APPLIER_H_
