#ifndef ENGINE_COPY_UNCHANGED_TABLES_H_
#define ENGINE_COPY_UNCHANGED_TABLES_H_

// Goes on with an offline copy whose snapshot is gone, without copying again
// what is still the same.
//
// What holds before, for a table with done block ranges A and snapshot S1: its
// rows on the target are the row versions that S1 sees in A. They are kept if
// the new snapshot S2 sees the same ones in A. No stream tells what happened
// since, but a count does: a version that S2 sees in A was made by a
// transaction that S1 sees, or by another, which `xmin` tells. If none was made
// by another, S1 saw all that S2 sees, as versions do not move; if they are as
// many as were copied, S2 sees all that S1 saw. Rewriting a table moves them,
// and gives it another relfilenode.
//
// S1 is known by the top-level transactions that ran, and `xmin` may be one of
// their subtransactions'. Both are younger than the oldest of them, so that is
// where "another" begins.
//
// An id of S1 stands for one transaction for ever, because S1 was used only
// once what it sees was on disk (SourceSnapshot::TakeWithoutSlot), unless a
// standby that lacked some of it has taken over: that has another timeline.
//
// A table of which that cannot be said is copied anew. So is one with rows
// older than two billion transactions that look new (xid_snapshot.h), one of
// another access method than heap, and all of a standby, which does not know
// what runs.

#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

struct UnchangedTablesOptions {
  CopySessionOptions session;  // Its interrupt is used.
  int jobs = 4;                // Tables looked at at once.
  absl::Duration progress_interval = absl::Seconds(1);
  // The migration has not made the tables, so that others may have written to
  // them: one whose rows are not as many as were copied is removed only where
  // this says so. Otherwise kFailedPrecondition. Null: it has made them.
  std::function<bool(const QualifiedName& table)> may_remove_others_rows;
  // They do so right now, and may have changed what was copied, too: as many
  // rows need not be the same ones.
  bool clients_write = false;
};

// Brings every table of `tables` that the ledger has to the snapshot's
// position. One target transaction per table; may be repeated. The caller holds
// the migration's lock, no earlier session copies any more
// (EndEarlierCopies), and the snapshot guards the tables. Sends Progress (phase
// prepare). Errors as of CopyTables.
absl::Status KeepUnchangedTables(const UnchangedTablesOptions& options,
                                 SourceSnapshot& snapshot,
                                 const std::vector<CatalogTable>& tables,
                                 EventSink& events);

}  // namespace walferry

#endif  // ENGINE_COPY_UNCHANGED_TABLES_H_
