#ifndef APPLY_APPLIER_H_
#define APPLY_APPLIER_H_

// What makes a target equal: batches in, durable commits out.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "apply/apply_counts.h"
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

// One of several appliers that share a stream, each with its own session and
// thread. Batches begin in source order and commit in source order; what does
// not depend on the batches before is done while these are still on their way
// (ahead_changes.h).
//
//   Enter(batch)       in source order
//   ApplyAhead(batch)  at any time; GiveWay() now and then behind it
//   Apply(batch)       at its turn: every batch before it is committed
//
// A batch that is open() or goes on with one that was has only Enter() and
// Apply(), and one applier gets all parts of its transaction.
class AheadApplier : public Applier {
 public:
  // Tells the other appliers which rows the batch changes.
  virtual void Enter(const ChangeBatch& batch) = 0;

  // Applies what it may of the batch without committing. What does not succeed
  // is undone and left to Apply(): there are no errors to be told here.
  virtual void ApplyAhead(const ChangeBatch& batch) = 0;

  // Undoes what ApplyAhead() has done if the session `pid` waits for a lock:
  // it may be one of this applier's, and then both would wait for ever.
  virtual void GiveWay(int pid) = 0;

  // The turn will not come: undoes what ApplyAhead() has done, so that it is in
  // nobody's way.
  virtual void GiveUp() = 0;

  // How often what was done ahead had to be undone.
  virtual int64_t undone() const = 0;

  // The target's process of this applier's session.
  virtual int session_pid() const = 0;
};

}  // namespace walferry

#endif  // APPLY_APPLIER_H_
