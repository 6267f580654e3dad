#ifndef ENGINE_TARGET_DURABLE_SERVER_H_
#define ENGINE_TARGET_DURABLE_SERVER_H_

// What it takes to trust a server's disk again that ran with fsync off.
//
// A CHECKPOINT with fsync on is not enough. While fsync was off, checkpoints
// went on, and each forgot the files that it had written as if it had synced
// them (ProcessSyncRequests in sync.c): no later checkpoint comes back to them.
// New files that are normally synced at once (indexes, copies of databases)
// and finished segments of the log were never put on any list. PostgreSQL's
// manual says what helps (section on fsync): once it is on again, everything
// that the kernel holds has to reach the disk, by `initdb --sync-only` or by
// `sync`. The former reports every file that could not be written; sync(2)
// tells nobody. So the server itself is made to run it, by COPY TO PROGRAM.
//
// SyncServer is exact about the order:
//
//   1. Whoever works with the old settings ends first. A session takes them up
//      between two commands; until then it marks log as flushed that it did
//      not sync, and sessions that do sync would believe it.
//   2. pg_switch_wal(): with wal_sync_method open_sync a segment that was
//      opened without the flag is written on without it.
//   3. CHECKPOINT, repeated until pg_control says that it was begun with the
//      full_page_writes that is in force now. So the checkpointer has read the
//      settings, the kernel has every page that was changed before, and what
//      changes later is logged whole.
//   4. initdb --sync-only for the whole data directory, its log and its
//      tablespaces. What is written later is synced by the usual means.
//
// Until it has returned, the ledger holds a note of kind "unsynced", whose
// detail is the boot id of the server's machine: if that is another one by
// then, the machine has stopped while files were not synced, and what it lost
// nobody knows.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"

namespace walferry {

// That SyncServer will be possible, before fsync is turned off:
// kFailedPrecondition if the server cannot run initdb.
absl::Status CheckCanSync(PgConnection& target);

// The note of a server whose fsync is about to be turned off.
absl::StatusOr<LedgerObject> DescribeUnsynced(PgConnection& target);

// Makes everything durable that was written so far; ReloadSettings has been
// called. Takes as long as the disk does, and waits for other sessions'
// commands (kFailedPrecondition after ten minutes: which). kFailedPrecondition
// also if fsync is not on again. May be repeated.
absl::Status SyncServer(PgConnection& target);

// kDataLoss: the note's machine is not the one that runs now.
absl::Status CheckSameBoot(PgConnection& target, const LedgerObject& note);

}  // namespace walferry

#endif  // ENGINE_TARGET_DURABLE_SERVER_H_
