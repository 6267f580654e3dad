#ifndef ENGINE_LEDGER_LEDGER_H_
#define ENGINE_LEDGER_LEDGER_H_

// The ledger: what a migration has created and done, kept on the target so
// that a second run continues and cleanup leaves nothing behind.
//
// Tables in the ledger schema, one row set per migration name:
//   migration   identity, phase, heartbeat, requests, report
//   object      what walferry created on either side, written before creating
//   step        schema and index steps done
//   table_copy  each table's copy: shape, state, the position it is valid at
//   copy_range  ranges of rows that are on the target
//   meeting     requests for one state of both sides (meeting_request.h)
//   stream      the applied position (apply/apply_session.h)
//   table_counts  changes decoded and applied of each of a stream's tables
//               (apply/table_counts.h)

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "apply/applier.h"
#include "apply/table_counts.h"
#include "engine/comparison.h"
#include "engine/ledger/ledger_sql.h"
#include "engine/options.h"
#include "engine/report.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

enum class Side { kSource, kTarget };

// Something walferry created, or will create in a moment.
struct LedgerObject {
  Side side = Side::kSource;
  std::string kind;  // "slot", "publication", "origin", "setting", "unsynced".
  std::string identity;  // Its name; for a setting what it was set on.
  std::string detail;    // What undoes it where the kind does not say.
};

// A table of the copy.
struct LedgerTable {
  QualifiedName table;
  uint32_t oid = 0;          // On the source.
  uint32_t relfilenode = 0;  // When its ranges were cut.
  int64_t blocks = 0;
  int64_t bytes = 0;  // Estimate for progress.
  std::string shape;  // ShapeOf.
  bool copied = false;
  // The rows on the target are the source's as of this position: changes that
  // committed before it are already in them. 0/0: nothing copied yet.
  Lsn lsn;
  // pg_current_snapshot() of that position.
  std::string snapshot;
  // Of an unlogged table: what its rows were when the cutover copied them.
  std::string fingerprint;
  int64_t rows = 0;  // Sum over copied ranges.
  int64_t bytes_copied = 0;
};

// The heartbeat that status shows.
struct LedgerHeartbeat {
  Lsn source_lsn;
  Lsn received_lsn;
  uint64_t lag_bytes = 0;
  double lag_seconds = 0;
  std::string waiting_for;
};

// What one migration's row says.
struct LedgerMigration {
  std::string kind;  // "migrate" or "follow".
  std::string phase;
  std::string source_system_identifier;
  std::string source_dbname;
  std::string slot;  // "" of an offline migration.
  std::vector<std::string> publications;
  std::string scope;  // JSON of the filters, compared on resumption.
  // What acts on written rows is created at the cutover: at the beginning the
  // target's role could not have kept it quiet.
  bool defer_triggers = false;
  Lsn consistent_point;
  std::optional<std::string> report;  // JSON, once done.
  bool cutover_requested = false;
  int64_t planned_steps = 0;
  std::string started_at;    // ISO 8601 with offset, as the server prints it.
  std::string heartbeat_at;  // The same, or "".
  LedgerHeartbeat heartbeat;
  std::string last_error;
  std::string cutover_failure;  // Why the last request was given up, or "".

  MigrateMode mode() const {
    return slot.empty() ? MigrateMode::kOffline : MigrateMode::kOnline;
  }
};

// With the source; of kNone, what nobody has noted.
struct LedgerComparisons {
  ComparisonResult last;
  // Of all but delayed tables, which cannot be compared later
  // (engine/catalog/delayed_tables.h).
  ComparisonResult before_clients;

  // What there is to be known: the last, or else what kept clients out.
  ComparisonResult Known() const;
};
// An assignment of UPDATE.
std::string ComparisonSql(const ComparisonResult& result,
                          bool before_clients = false);

// The stream's row (apply/apply_session.h), as far as others read it.
struct LedgerStream {
  Lsn applied_lsn;
  ApplyCounts counts;  // Over all runs.
  // Behind it changes are counted by table; 0/0: not yet, as the ledger is an
  // older walferry's.
  Lsn counted_since;
};

// Reads and writes the ledger over one target connection, which outlives it.
class Ledger {
 public:
  Ledger(PgConnection& connection, LedgerKey key);

  // Creates schema and tables where they are missing, and carries those of the
  // version before on; kFailedPrecondition when they are of another version.
  absl::Status Create();
  // The schema and the migration's row exist.
  absl::StatusOr<bool> Exists();

  // Holds the migration's advisory lock on this connection until it closes;
  // kFailedPrecondition (who holds it) if another process has it after `wait`.
  // If it has to wait, `on_wait` is told so, unless it is empty.
  absl::Status Lock(absl::Duration wait,
                    const std::function<void(std::string)>& on_wait = nullptr);
  // Whether any process holds it.
  absl::StatusOr<bool> Locked();

  absl::StatusOr<std::optional<LedgerMigration>> Read();
  absl::Status Start(const LedgerMigration& migration);
  absl::Status SetPhase(absl::string_view phase);
  absl::Status SetConsistentPoint(Lsn lsn);
  absl::Status SetDeferTriggers();
  absl::Status SetHeartbeat(const LedgerHeartbeat& heartbeat);
  absl::Status Beat();  // A sign of life, and nothing to say.
  absl::Status SetLastError(absl::string_view text);  // "" clears it.
  // Together with the end of `object`'s note, if there is one.
  // If `comparison` is not null, also with what is known to hold then.
  absl::Status SetReport(absl::string_view json,
                         const std::optional<LedgerObject>& object = {},
                         const ComparisonResult* comparison = nullptr);
  // Of one that has come to its end, with what has been noted since; kDataLoss
  // if it has not.
  absl::StatusOr<Report> ReportOf(const LedgerMigration& migration);

  absl::StatusOr<LedgerComparisons> Comparisons();
  // kAborted: this is not the migration that was begun at that time (of its
  // started_at; infinite past: whichever it is).
  absl::Status SetComparison(const ComparisonResult& result,
                             bool before_clients = false,
                             absl::Time begun = absl::InfinitePast());
  // In that phase; what an earlier run ended with is forgotten.
  absl::Status BeginAgain(absl::string_view phase);
  absl::Status SetPlannedSteps(int64_t steps);

  absl::Status RequestCutover();
  absl::StatusOr<bool> CutoverRequested();
  // Whoever asked still waits. Does nothing to a request that has ended.
  absl::Status RenewCutoverRequest();
  // Ends a request: "" withdraws it silently, otherwise says why it failed.
  absl::Status EndCutoverRequest(absl::string_view failure);
  // Ends one that was not renewed for a minute; whether there was one.
  absl::StatusOr<bool> EndOldCutoverRequest(absl::string_view failure);

  // Before creating an object / after dropping it. Both may be repeated.
  absl::Status AddObject(const LedgerObject& object);
  absl::Status RemoveObject(const LedgerObject& object);
  absl::StatusOr<std::vector<LedgerObject>> Objects();

  absl::StatusOr<std::vector<std::string>> StepsDone();

  absl::Status AddTables(const std::vector<LedgerTable>& tables);
  absl::StatusOr<std::vector<LedgerTable>> Tables();
  absl::StatusOr<std::vector<LedgerRange>> RangesDone(
      const QualifiedName& table);

  // nullopt: the stream has not begun.
  absl::StatusOr<std::optional<LedgerStream>> Stream();
  // Of the stream, over all runs.
  absl::StatusOr<CountsByTable> TableCounts();

  // Deletes the migration's rows, and with the last migration's the tables;
  // the schema too when nothing else is in it. In one transaction.
  absl::Status Forget();

  const LedgerSql& sql() const { return sql_; }

 private:
  std::string Table(absl::string_view name) const;
  std::string Name() const;
  // Runs `sql` in one transaction.
  absl::Status ChangeSchema(absl::string_view sql);
  std::string RemovalOf(const LedgerObject& object) const;
  absl::Status Set(absl::string_view assignments);
  absl::Status ForgetInTransaction();

  PgConnection& connection_;
  LedgerSql sql_;
};

}  // namespace walferry

#endif  // ENGINE_LEDGER_LEDGER_H_
