#ifndef APPLY_AHEAD_CHANGES_H_
#define APPLY_AHEAD_CHANGES_H_

// What of a batch can be applied while the batches before it are not committed.
//
// A batch is divided: a change of a row that no older batch in flight changes
// goes ahead, the others are late, and so is all that the batch does later to
// the rows of a late change. What is ahead is applied at once, in a transaction
// that stays open; what is late follows in the same transaction when it is the
// batch's turn, that is, when everything before it is committed.
//
// Why no guess that was wrong can do harm. Let K be a batch that commits before
// this one, H:
//
// 1. H commits behind K, and nobody sees any of it before.
// 2. Had K changed something first that H needs, then K's transaction, if it is
//    still open, holds the row or the unique value, and H waits for it: for
//    kLockPatience at most, then H is undone. If K is committed by then, the
//    server looks at the row again as K has left it. Either each statement of H
//    touches exactly as many rows as it should, each found by its key, and is
//    right, or H is undone. What K will only make (a row, a free value) is not
//    there yet: the count is wrong or the unique index refuses, H is undone.
// 3. Does K come to a row, a unique value or a table second, then H holds it,
//    and as H does not commit before K, K cannot go past it: it waits. That is
//    a deadlock that the server does not see, as H waits for K in our process.
//    So whoever waits for his turn looks whether the one whose turn it is waits
//    for a lock, and undoes what he has done ahead (GiveWay). It is enough that
//    K waits for anyone: that one may wait for H.
// 4. K never skips what is locked and never fails because of it; if the server
//    calls it a deadlock, K is repeated.
// 5. So among batches the order is kept by the server's own locks, whatever the
//    hashes say. Within H there are none: there it is the division that keeps
//    the order. Keys are compared by their bytes as the source sends them; an
//    update that changes a byte of them sends the old ones too, so a row's
//    changes form a chain, and behind its first late link all are late. A row
//    that is deleted late and inserted anew ahead under a key that is equal but
//    looks different (1.0 and 1.00) collides in the target's index: undone.
// 6. A batch in which this does not hold is a wall: it waits as a whole, and
//    everything behind it waits for it. That is one that truncates; that fires
//    triggers or rules, which may read or write anything; that finds rows
//    without a key, or whose keys were not sent; that knows one table of the
//    target by two names or shapes, or a partitioned one among others; and a
//    part of a transaction that was cut.
//
// What is late is told by hashes of the keys, and of all values that rows get
// in secondary unique keys. Which values a change takes away from its row
// nobody has sent: the target is asked whose the wanted ones are now
// (taken_values.h).
//
// An undone batch is applied at its turn as if nothing had been ahead. So what
// went wrong costs time, and then fewer batches are tried for a while.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/applied_counts.h"
#include "apply/change_batch.h"
#include "apply/exact_changes.h"
#include "apply/keys_in_flight.h"
#include "apply/set_changes.h"
#include "apply/table_cache.h"
#include "apply/table_check.h"
#include "apply/taken_values.h"
#include "apply/target_transaction.h"

namespace walferry {

class AheadChanges {
 public:
  struct Options {
    // As in BatchApplierOptions.
    size_t min_set_changes = 0;
    double min_share_ahead = 0;
    bool ask_for_taken_values = false;
    int longest_pause = 0;
  };

  // All outlive this.
  AheadChanges(ApplySession& session, TargetTransaction& transaction,
               const TableCache& tables, ExactChanges& exact, SetChanges& sets,
               TableCheck& check, AppliedCounts& applied,
               KeysInFlight& in_flight, const Options& options);

  // In source order. `tables_loaded` is false if those of the batch could not
  // be read: then it is a wall.
  void Enter(const ChangeBatch& batch, bool tables_loaded);

  // Of the batch entered last. Nothing is done if too little is ahead; begun()
  // tells. After an error, Undo().
  absl::Status Begin(const ChangeBatch& batch);

  // It has begun: a transaction is open.
  bool begun() const { return begun_; }

  // At its turn: the rest, the position, and the commit. After an error,
  // Undo() and apply the batch as a whole.
  absl::Status Finish(const ChangeBatch& batch, const CommitFacts& facts);

  // Whether the session `pid` waits for a lock, as far as can be seen.
  bool IsInTheWayOf(int pid);

  // Nothing of the batch is on the target.
  void Undo();
  int64_t undone() const { return undone_; }

  // The batch is committed.
  void Leave();

 private:
  // False: the batch is a wall.
  bool CollectKeys(const ChangeBatch& batch);
  bool CollectKeys(const Change& change);
  bool AddKey(const Change& change, absl::Span<const Column> row);
  void AddOtherKeys(absl::Span<const Column> row);
  bool EnterTable(const SourceRelation& relation);
  void Divide(const ChangeBatch& batch);
  // Enough is ahead.
  bool WorthIt(const ChangeBatch& batch) const;
  void Abandon();

  TargetTransaction& transaction_;
  const TableCache& tables_;
  ExactChanges& exact_;
  SetChanges& sets_;
  TableCheck& check_;
  AppliedCounts& applied_;
  KeysInFlight& in_flight_;
  TakenValues taken_;
  const Options options_;

  // Of the batch entered last.
  KeysInFlight::Batch keys_;
  std::vector<size_t> key_ends_;  // By change, in keys_.keys.
  struct Table {
    const TableMapping* mapping = nullptr;
    size_t hash = 0;  // Of the target's name.
  };
  absl::flat_hash_map<const SourceRelation*, Table> tables_by_relation_;
  absl::flat_hash_set<size_t> table_hashes_;
  bool has_partitioned_ = false;
  const SourceRelation* relation_ = nullptr;  // Of the last change.
  Table table_;                               // Its table.
  absl::flat_hash_set<uint64_t> late_keys_;
  // By change, and the opposite of each other.
  std::vector<bool> late_;
  std::vector<bool> ahead_;
  size_t late_count_ = 0;
  bool begun_ = false;

  // After a failure so many batches are not tried, twice as many each time.
  int pause_ = 0;
  int next_pause_ = 1;
  int64_t undone_ = 0;
};

}  // namespace walferry

#endif  // APPLY_AHEAD_CHANGES_H_
