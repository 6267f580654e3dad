#ifndef ENGINE_COPY_TABLE_COPY_H_
#define ENGINE_COPY_TABLE_COPY_H_

// Carries one range of a table's rows from the source to the target.

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/copy_format.h"
#include "engine/copy/copy_plan.h"
#include "engine/copy/copy_session.h"
#include "engine/copy/snapshot.h"
#include "engine/ledger/ledger.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_copy.h"

namespace walferry {

// What has been carried so far. Written by the copying thread, read by others.
struct CopyCounters {
  std::atomic<int64_t> rows = 0;
  std::atomic<int64_t> bytes = 0;  // Of COPY data.
};

// The items of one table that are not committed yet. The last one to commit
// also marks the table as copied; commits of one table follow each other, so
// that exactly one is the last.
struct OpenItems {
  absl::Mutex mutex;
  int64_t left ABSL_GUARDED_BY(mutex) = 0;
};

// COPY of `columns` (all that are stored) in a block range of a table, only
// its own rows. Zero columns are fine: rows are then empty lines. Of an
// extension's configuration table only the user's rows, and no ranges.
std::string CopyOutSql(const CatalogTable& table, const LedgerRange& range,
                       CopyFormat format = CopyFormat::kText);
// "ctid >= '(8,0)' AND ctid < '(16,0)'".
std::string RangeCondition(const LedgerRange& range);
enum class CopyFreeze { kNo, kYes };
std::string CopyInSql(const CatalogTable& table, CopyFreeze freeze,
                      CopyFormat format = CopyFormat::kText);

// Where rows go. Its errors say whose they are: "source: ...", if the rows do
// not look like rows, or "target: ...".
class RowSink {
 public:
  virtual ~RowSink() = default;
  // Called when the source is about to send, and before all else.
  virtual absl::Status Begin() = 0;
  virtual absl::Status Write(const CopyPiece& piece) = 0;
  // After the last row: how many the target stored.
  virtual absl::StatusOr<int64_t> Finish() = 0;
};

// Reads a COPY ... TO STDOUT on `source` to its end into `sink`; the rows that
// the target stored. kDataLoss if these are not as many as the source says it
// has sent.
absl::StatusOr<int64_t> PourRows(PgConnection& source,
                                 const std::string& copy_out, RowSink& sink,
                                 CopyCounters& counters);

// The same, into a COPY ... FROM STDIN on `target`, of the same format, in
// large pieces.
absl::StatusOr<int64_t> PipeRows(PgConnection& source,
                                 const std::string& copy_out,
                                 PgConnection& target,
                                 const std::string& copy_in,
                                 CopyCounters& counters);

// How a worker carries rows.
struct TableCopyOptions {
  // Items of at least so many bytes go in binary form where that is exact.
  int64_t min_binary_bytes = 0;
  // By InsertRows, as text.
  bool inserts = false;
  // The tables were there before the migration: they are never truncated, as
  // others may write to them by now.
  bool found_tables = false;
};

// One worker's two sessions. Used by one thread.
class TableCopier {
 public:
  // Opens both sessions and imports the snapshot, which outlives this.
  static absl::StatusOr<TableCopier> Open(const CopySessionOptions& session,
                                          SourceSnapshot& snapshot,
                                          const TableCopyOptions& options);

  // Locks a table on the source until the end, so that a statement that waits
  // for the guard's lock does not come first.
  absl::Status Lock(const CatalogTable& table);

  // Copies the item and commits it together with its ledger row, once the
  // snapshot's guard is known to have stood all the time. A whole table is
  // truncated first where the role may, so that its rows can be stored frozen.
  // If the target's columns get other types meanwhile it is copied again.
  // Errors name table, range and, if the target refused a row, its line and
  // column. Returns the rows.
  absl::StatusOr<int64_t> Copy(const CatalogTable& table, const CopyItem& item,
                               OpenItems& open_items, CopyCounters& counters);

 private:
  TableCopier(PgConnection source, PgConnection target,
              SourceSnapshot* snapshot, LedgerSql sql,
              const TableCopyOptions& options);
  absl::StatusOr<int64_t> CopyRows(const CatalogTable& table,
                                   const CopyItem& item,
                                   CopyCounters& counters);
  absl::StatusOr<CopyFreeze> TruncateIfAllowed(const CatalogTable& table);
  absl::StatusOr<CopyFormat> FormatOf(const CatalogTable& table,
                                      const CopyItem& item);
  absl::Status Commit(const CatalogTable& table, const CopyItem& item,
                      int64_t rows, int64_t bytes, OpenItems& open_items);

  PgConnection source_;
  PgConnection target_;
  SourceSnapshot* snapshot_;
  LedgerSql sql_;
  TableCopyOptions options_;
};

}  // namespace walferry

#endif  // ENGINE_COPY_TABLE_COPY_H_
