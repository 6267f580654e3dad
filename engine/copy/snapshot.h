#ifndef ENGINE_COPY_SNAPSHOT_H_
#define ENGINE_COPY_SNAPSHOT_H_

// One state of the source, read by many sessions, and the position in the
// write-ahead log that it belongs to.
//
//   ASSIGN_OR_RETURN(auto snapshot, SourceSnapshot::Take(options));
//   ASSIGN_OR_RETURN(Catalog catalog,
//                    ReadCatalog(snapshot->connection(), scope));
//   RETURN_IF_ERROR(snapshot->Guard(catalog.tables));
//   ... LiftTables, CopyTables ...
//
// Of a snapshot that a slot has exported: transactions whose commit record
// starts before consistent_point() are in the snapshot, all others are in the
// stream of the slot: no gap, no overlap.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/catalog/catalog.h"
#include "engine/options.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct SourceSnapshotOptions {
  Endpoints endpoints;
  // The permanent slot to create; "": the slot exists already and a temporary
  // one, gone when Take() returns, gives a newer snapshot.
  std::string slot;
  // PostgreSQL 17 and later: the permanent slot is carried over to standbys.
  bool failover = false;
  // Creating a slot waits for every transaction that runs at that moment.
  absl::Duration slot_wait = absl::Minutes(10);
  // Told before, if one of them has run for a while; may be empty.
  std::function<void(const std::string&)> on_wait = {};
  // How long Guard() waits for each batch of tables.
  absl::Duration lock_wait = absl::Seconds(30);
  // May be null; outlives the snapshot.
  const Interrupt* interrupt = nullptr;
};

// A session that waits for a lock which the guard is in the way of. Behind it
// everybody waits who wants the table.
struct GuardWaiter {
  int pid = 0;
  uint32_t table_oid = 0;
  absl::Duration waited;
};

// Holds the snapshot, and after Guard() the tables' shape, until destroyed: a
// session of its own (the guard) stays inside a transaction.
class SourceSnapshot {
 public:
  // kDeadlineExceeded: transactions that run on the source did not end within
  // slot_wait (which, is told); no slot is left. kAlreadyExists: the permanent
  // slot's name is taken. Any error after the permanent slot was created
  // leaves it there: the caller has noted it and takes a temporary one next.
  static absl::StatusOr<std::unique_ptr<SourceSnapshot>> Take(
      const SourceSnapshotOptions& options);
  // The state of now, without a slot (whose options are not used), also of a
  // standby. consistent_point() is then about where the log ended. What it sees
  // is on the source's disk: no crash gives the ids of its transactions to
  // others. kAborted: the source does not write its log to disk.
  static absl::StatusOr<std::unique_ptr<SourceSnapshot>> TakeWithoutSlot(
      const SourceSnapshotOptions& options);
  ~SourceSnapshot();

  // Locks the tables against DROP, TRUNCATE, ALTER, CLUSTER and VACUUM FULL
  // (ACCESS SHARE), then makes sure that none of these came between the
  // snapshot and the lock. kAborted, take a new snapshot: "table public.t was
  // altered or rewritten while the snapshot was taken", or a lock was not given
  // within lock_wait (who holds it, is told).
  absl::Status Guard(const std::vector<CatalogTable>& tables);

  // Thread-safe. Asks the server whether the guard still stands: if it does
  // now, it has since Guard(). kUnavailable otherwise, and from then on.
  absl::Status Check();

  // Thread-safe. Who waits for the guard, longest first.
  absl::StatusOr<std::vector<GuardWaiter>> Waiters();

  // Begins a transaction in this snapshot on a session of the source:
  // REPEATABLE READ READ ONLY. Thread-safe.
  absl::Status Import(PgConnection& connection) const;

  Lsn consistent_point() const { return consistent_point_; }
  // pg_current_snapshot() in it: "xmin:xmax:xid,xid,..." (XidSnapshot). Without
  // a slot it knows no subtransactions, and the server's timeline stands behind
  // it ("...@00000001"); "" on a standby, which does not know what runs.
  const std::string& text() const { return text_; }
  // The source's server_encoding.
  const std::string& encoding() const { return encoding_; }

  // The guard's session, inside its transaction, for reading the catalog.
  // Not while another thread may call Check(). A statement that fails ends
  // the snapshot.
  PgConnection& connection() ABSL_NO_THREAD_SAFETY_ANALYSIS { return guard_; }

 private:
  SourceSnapshot(PgConnection present, PgConnection guard,
                 Lsn consistent_point);
  absl::Status Adopt(const std::string& exported_name);
  absl::Status WaitUntilCommitsShow();
  absl::Status WaitUntilFlushed();
  absl::Status LockTables(absl::Span<const CatalogTable> tables)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status CompareTables(absl::Span<const CatalogTable> tables)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ExplainLockTimeout(const absl::Status& failure,
                                  absl::Span<const CatalogTable> tables);

  // Sees the present while the guard sees the snapshot: a walsender, if it has
  // made a slot.
  PgConnection present_;
  mutable absl::Mutex mutex_;
  PgConnection guard_ ABSL_GUARDED_BY(mutex_);
  const Lsn consistent_point_;
  std::string name_;
  std::string text_;
  std::string encoding_;
};

}  // namespace walferry

#endif  // ENGINE_COPY_SNAPSHOT_H_
