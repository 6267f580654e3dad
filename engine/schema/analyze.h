#ifndef ENGINE_SCHEMA_ANALYZE_H_
#define ENGINE_SCHEMA_ANALYZE_H_

// Gathers the planner's statistics on the target.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/schema/step_pool.h"
#include "protocol/pg_connection.h"

namespace walferry {

enum class AnalyzePart {
  kAll,
  // Partitioned tables that have delayed rows and others are of both parts.
  kAllButDelayed,
  kDelayed,
};

// ANALYZE of every table of the catalog's part over `jobs` connections opened
// from `target`, biggest first. A partitioned table is one piece with all its
// partitions: only so it gets statistics of its own. May be repeated.
// `on_progress` is called by the calling thread; may be empty.
//
// ANALYZE of a partitioned table also reads its foreign partitions, whose
// server need not answer here (analyze.c, acquire_inherited_sample_rows). If
// that fails, its other partitions are analyzed one by one. Returns what is
// missing then, a sentence each without its full stop.
absl::StatusOr<std::vector<std::string>> AnalyzeTables(
    const PgConnectOptions& target, const Catalog& catalog, int jobs,
    const std::function<void(const SchemaProgress&)>& on_progress,
    AnalyzePart part = AnalyzePart::kAll);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_ANALYZE_H_
