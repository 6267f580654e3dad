#ifndef ENGINE_COPY_COPY_POOL_H_
#define ENGINE_COPY_COPY_POOL_H_

// Copies many tables at once.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/catalog/catalog.h"
#include "engine/control.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/guard_watch.h"
#include "engine/copy/snapshot.h"
#include "engine/event.h"

namespace walferry {

struct CopyPoolOptions {
  // Its interrupt is not used: Control's is.
  CopySessionOptions session;
  int jobs = 4;
  uint64_t split_bytes = uint64_t{256} << 20;
  // kAuto: items of at least min_binary_bytes go in binary form where that is
  // exact.
  BinaryMode binary = BinaryMode::kAuto;
  int64_t min_binary_bytes = int64_t{1} << 20;
  // By INSERT instead of COPY, always as text.
  bool inserts = false;
  // The migration has not made the tables: see TableCopyOptions.
  bool found_tables = false;
  // Clients write to the tables meanwhile: rows of theirs may be there, and
  // stay.
  bool clients_write = false;
  absl::Duration progress_interval = absl::Seconds(1);
  // After an error no item is started; those that run may end within it.
  absl::Duration error_grace = absl::Seconds(10);
  absl::Duration waiter_patience = kWaiterPatience;
};

// Over all runs of the migration.
struct CopyTotals {
  int64_t tables = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
  // In this run.
  int64_t items = 0;
};

// Copies what the ledger does not have yet of `tables` (those with copy_data),
// with `jobs` workers, each a thread with a session on either side. Every
// table must be in the ledger (Ledger::AddTables), and those that are not
// copied must stand at the snapshot's position: from the start, or by
// LiftTables. The snapshot guards all of `tables`.
//
// Sends Progress (phase copy), and a warning about each session that waits for
// the guard. Nothing that was committed is lost with an
// error: kUnavailable (a connection or the guard was lost), kAborted and
// kResourceExhausted (a statement on the source waits for the guard, for too
// long or in a worker's way) are for a new snapshot, LiftTables and another
// call; kCancelled after Control::RequestStop(). kFailedPrecondition: a table
// that should be empty is not. Where clients write, the server's error says
// whose key is there already (SQLSTATE 23505).
absl::StatusOr<CopyTotals> CopyTables(const CopyPoolOptions& options,
                                      SourceSnapshot& snapshot,
                                      const std::vector<CatalogTable>& tables,
                                      const Control& control,
                                      EventSink& events);

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_POOL_H_
