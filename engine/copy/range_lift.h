#ifndef ENGINE_COPY_RANGE_LIFT_H_
#define ENGINE_COPY_RANGE_LIFT_H_

// Brings partly copied tables from the snapshot of a run that died to a new
// one, without copying anything twice.
//
// What holds before, for a table with done block ranges A at position L1 and
// snapshot S1: its rows on the target are the row versions that S1 sees in A.
// What must hold after, with L2 > L1 and S2: those that S2 sees in A. Then the
// ranges outside A are copied under S2 and the table is whole at L2.
//
// A version that S2 sees in A was either made by a transaction that S1 sees
// (then S1 sees it too, at the same place, so it is on the target and stays)
// or by a later one (then it is fetched: `xmin` tells). A version that S1 sees
// in A and S2 does not was updated or deleted by a transaction that committed
// between the two, so the slot's stream names its key: as old key, or as key of
// the new row if it did not change. Such keys are deleted from the target.
// No row that stays is hit: a key is unique at any moment, so whoever touched
// it first after S1 killed the version that S1 saw. Where the new version went
// does not matter: into A it is fetched now, out of A it is copied later; a row
// that comes into A from outside was not on the target. Keys that were only
// inserted need no deletion by the same argument. HOT updates and reuse of a
// line pointer make versions like any other; blocks beyond the end belong to
// the range without end. A second crash starts from what holds after.
//
// An old frozen row may look new, as `xmin` keeps 32 bits. Therefore target
// rows with the key of a fetched row are deleted before it is inserted: such a
// row replaces itself.
//
// A table is started anew (its rows on the target are removed, its ranges
// forgotten, a notice says why) when it was rewritten (TRUNCATE, CLUSTER,
// VACUUM FULL, ALTER TABLE: other relfilenode), was created anew, has no key,
// changed its key, is unlogged, or when the publications do not publish its
// updates and deletes under its own name and unfiltered.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/control.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

struct LiftOptions {
  // Its interrupt is used.
  CopySessionOptions session;
  // The permanent slot. Read from its confirmed position and not moved.
  std::string slot;
  std::vector<std::string> publications;
  absl::Duration notice_interval = absl::Seconds(10);
};

struct LiftReport {
  int64_t lifted = 0;  // Tables.
  int64_t restarted = 0;
  int64_t keys = 0;  // Touched keys, duplicates partly counted.
  int64_t rows_removed = 0;
  int64_t rows_fetched = 0;
};

// Brings every table of `tables` that the ledger has, and that is not copied or
// is in no stream, to the snapshot's position: those with ranges as above,
// those without by noting the position. One target transaction per table; may
// be repeated. The caller holds the migration's lock, and the snapshot guards
// the tables.
//
// kUnavailable also if the slot is still held by a walsender of the run that
// died.
absl::StatusOr<LiftReport> LiftTables(const LiftOptions& options,
                                      SourceSnapshot& snapshot,
                                      const std::vector<CatalogTable>& tables,
                                      EventSink& events);

}  // namespace walferry

#endif  // ENGINE_COPY_RANGE_LIFT_H_
