#ifndef ENGINE_VERIFY_VERIFICATION_H_
#define ENGINE_VERIFY_VERIFICATION_H_

// Proof that two databases hold the same: what is asked, and what was found.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "engine/archive/sql_check.h"
#include "engine/comparison.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/scope.h"
#include "protocol/lsn.h"
#include "protocol/quoting.h"

namespace walferry {

class SnapshotPair;  // engine/verify/snapshot_pair.h

// Of a migration with delayed tables (VerifyOptions::scope.delay_table_data,
// engine/catalog/delayed_tables.h): which tables are compared.
enum class VerifyShare {
  kAll,
  kBeforeClients,  // All but the delayed ones.
  // The delayed ones, which clients work with: what only the target has is
  // theirs, and no difference. All, if no table is delayed.
  kBehindClients,
};

enum class RepairMode {
  kNo,
  kDryRun,  // Says what it would run, and changes nothing.
  kYes,
};

struct VerifyOptions {
  Endpoints endpoints;  // name and ledger_schema: where progress is kept.
  VerifyMethod method = VerifyMethod::kChecksum;
  bool schema = true;       // Also compares the schemas.
  bool privileges = false;  // And who may do what in them.
  ScopeOptions scope;
  VerifyShare share = VerifyShare::kAll;
  int jobs = 2;  // Ranges compared at once; each takes a session on each side.
  // Of kSample, of each table's ranges; the same seed takes the same ones.
  double sample_percent = 5;
  uint64_t seed = 1;
  // Of a range, of its table on the source.
  uint64_t range_bytes = uint64_t{64} << 20;
  // Shown on the terminal; the report has all up to max_reported of a table.
  int64_t max_differences = 20;
  int64_t max_reported = 10000;
  // Run on both sides; `expect` and its like may be unset.
  std::vector<SqlCheck> checks;
  // While the migration of that name follows: it is asked for one state of both
  // sides, and its scope counts.
  bool online = false;
  // Then states that are older give way to newer ones.
  absl::Duration max_snapshot_age = absl::Minutes(30);
  // While changes flow: triggers, rules and foreign keys come at the cutover,
  // as the target's role could not keep them quiet before.
  bool triggers_come_later = false;
  // Go on where a run before was interrupted: ranges found equal stay so.
  bool resume = true;
  // What is found equal is noted on the target for a later run, and what an
  // earlier one has noted counts.
  bool notes = true;
  // Of kChecksum and kSample: also makes the target's rows as the source's,
  // once they are known to differ, and compares again.
  RepairMode repair = RepairMode::kNo;
};

// One row, or one column's value in it.
struct ColumnDifference {
  std::string column;
  std::optional<std::string> source;  // As text; nullopt: NULL.
  std::optional<std::string> target;
};
struct RowDifference {
  enum class Kind { kMissing, kExtra, kDifferent };  // On the target.
  Kind kind = Kind::kMissing;
  // "id=17" by the table's key; of a table without one, the row itself.
  std::string key;
  // Of a table without a key: how often the row is there.
  int64_t source_count = 1;
  int64_t target_count = 1;
  std::vector<ColumnDifference> columns;  // Of kDifferent.
};

struct TableVerdict {
  enum class Outcome { kEqual, kDifferent, kUnknown, kWarning };
  QualifiedName table;
  Outcome outcome = Outcome::kUnknown;
  std::string detail;  // Why unknown or a warning: a sentence.
  // -1: not counted. Of kEstimate, estimates.
  int64_t source_rows = -1;
  int64_t target_rows = -1;
  int64_t ranges = 0;        // Compared, of those
  int64_t ranges_total = 0;  // that there are (more of them with kSample).
  int64_t ranges_kept = 0;   // Found equal by a run before.
  int64_t missing = 0, extra = 0, different = 0;
  int64_t of_clients = 0;  // Only the target has them (kBehindClients).
  std::vector<RowDifference> rows;  // At most max_reported.
  bool rows_left_out = false;
  bool at_least = false;  // Not all rows were counted: there may be more.
  std::string method;     // How rows were hashed, e.g. "hashtextextended".
  absl::Duration elapsed;
};

// Of the schema, a sequence, an extension, an index, ...: anything but rows.
struct ObjectDifference {
  // kUnknown: it could not be read.
  enum class Weight { kDifference, kWarning, kUnknown };
  Weight weight = Weight::kDifference;
  std::string kind;    // "index", "sequence", "column", "constraint", ...
  std::string object;  // "public.orders_idx"
  std::string what;    // "is invalid on the target": a clause after the object
  std::string source;  // Definition or value on that side; "": is not there.
  std::string target;
};

struct CheckVerdict {
  std::string name;
  bool equal = false;
  bool unknown = false;  // Neither side answers; not equal then.
  std::string source;    // The answer ("NULL"), or the error.
  std::string target;
  std::string detail;
};

// Of one table, what was done to its rows on the target, or would be.
struct TableRepair {
  QualifiedName table;
  int64_t ranges = 0;  // Each in a transaction, but for those that need others.
  int64_t inserted = 0, deleted = 0, updated = 0;
  // Of ranges that are left as they were: a sentence each.
  std::vector<std::string> failures;
};

struct RepairReport {
  bool dry_run = false;
  std::vector<TableRepair> tables;  // By name; those in which rows differed.
  // Of a dry run: what would be run, in order, each without its semicolon.
  std::vector<std::string> statements;
  bool statements_left_out = false;  // They would be too long.
  absl::Duration elapsed;
  absl::Duration held;  // Online: how long no changes were applied for it.
};

struct VerifyReport {
  std::string source;  // host:port/database, without secrets.
  std::string target;
  std::string source_version;  // "15.18"
  std::string target_version;
  VerifyMethod method = VerifyMethod::kChecksum;
  VerifyShare share = VerifyShare::kAll;  // That it came to.
  // Online: where both sides were compared, and how long the applier stood.
  std::optional<Lsn> position;
  absl::Duration applier_pause = absl::ZeroDuration();
  bool schema_compared = false;
  int64_t objects_compared = 0;
  std::vector<TableVerdict> tables;  // By name.
  std::vector<ObjectDifference> objects;
  std::vector<CheckVerdict> checks;
  std::vector<std::string> remarks;  // What was not compared, and why.
  // Everything else is as it was found behind it.
  std::optional<RepairReport> repair;
  int64_t rows_compared = 0;
  int64_t bytes_compared = 0;
  absl::Time started_at;
  absl::Duration elapsed;

  bool found_differences() const;
  // Of something nobody knows whether it is equal.
  bool uncertain() const;
};

// Compares and changes nothing on either side but the ledger's notes of what
// was compared (on the target, if the role may write there; a remark
// otherwise), and the rows of the target if a repair is asked for. Differences
// are in the report. An error means that nobody knows, and that whole ranges
// are repaired, if any.
// kFailedPrecondition: source and target are one database; a repair that is not
// online where a migration that has not come to its end writes these rows, too.
absl::StatusOr<VerifyReport> RunVerify(const VerifyOptions& options,
                                       Control& control, EventSink& events);

// The same of two states that somebody else knows, and holds. Repairs nothing.
// If changes go on behind them, what only a cutover brings is not compared,
// which is a remark.
absl::StatusOr<VerifyReport> VerifySnapshots(const VerifyOptions& options,
                                             SnapshotPair& snapshots,
                                             Control& control,
                                             EventSink& events);

}  // namespace walferry

#endif  // ENGINE_VERIFY_VERIFICATION_H_
