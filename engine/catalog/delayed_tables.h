#ifndef ENGINE_CATALOG_DELAYED_TABLES_H_
#define ENGINE_CATALOG_DELAYED_TABLES_H_

// Tables whose rows come last (--delay-table-data), so that clients can work on
// the target before.
//
// The target is usable when all else is there: the schema with these tables'
// keys (constraints and unique indexes) and triggers, the others' rows and
// indexes, sequences, which lie beyond all of the source's values. Then come
// the delayed rows, and behind them
//   - their other indexes, and constraints that are NOT VALID on the source,
//   - foreign keys that refer to them, and the proof of their own,
//   - materialized views that read them, and their statistics,
//   - event triggers, as they would see all of this being made.
//
// What clients write meanwhile stays. Their rows and those that were copied
// cannot be told from each other, so nothing is removed from such a table any
// more, not even for another try: a part that was copied stays, and a table
// that changes on the source before all of it is copied stops the run. Keys
// tell when a client has a row that comes from the source, too; which of the
// two is right nobody but the operator knows.
//
// Rows are copied with triggers and foreign keys kept quiet, which are there
// for clients already. The server then looks at no constraint that is
// deferrable, and fires triggers that say ALWAYS or REPLICA, so the check
// refuses both.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/report.h"

namespace walferry {

// In the ledger from the moment on from which clients may write.
inline constexpr absl::string_view kUsableStep = "usable";

// kInvalidArgument: tables are delayed, and another option does not go with
// that. The texts name options of the command line.
absl::Status CheckMayDelay(const MigrateOptions& options);

// RunMigration (engine/migration/migration.h). Calls `before_usable`, which may
// be empty, when all but delayed tables is on the target, and before it is
// noted that clients may come: an error keeps them out. Not if there is no
// delayed table, nor in a later run, which finds the note.
absl::StatusOr<Report> RunDelayingMigration(
    const MigrateOptions& options,
    const std::function<absl::Status()>& before_usable, Control& control,
    EventSink& events);

// Of a move of all databases, where a pattern is DB.TABLE or DB.SCHEMA.TABLE
// and the first dot divides: those of one database, without it.
std::vector<std::string> DelayPatternsOf(
    const std::vector<std::string>& patterns, const std::string& database);
// The same patterns' databases. kInvalidArgument: one is malformed.
absl::Status CheckDelayPatterns(const std::vector<std::string>& patterns);
std::string DatabaseOfDelayPattern(const std::string& pattern);

}  // namespace walferry

#endif  // ENGINE_CATALOG_DELAYED_TABLES_H_
