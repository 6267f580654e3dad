#ifndef ENGINE_ANALYZE_H_
#define ENGINE_ANALYZE_H_

// Gathers the planner's statistics on the target.

#include <cstdint>
#include <functional>

#include "absl/status/status.h"
#include "engine/catalog.h"
#include "engine/schema_restore.h"
#include "protocol/pg_connection.h"

namespace walferry {

// ANALYZE of every table of the catalog, partitioned ones included, biggest
// first, over `jobs` connections opened from `target`. May be repeated.
// `on_progress` is called by the calling thread; may be empty.
absl::Status AnalyzeTables(
    const PgConnectOptions& target, const Catalog& catalog, int jobs,
    const std::function<void(const SchemaProgress&)>& on_progress);

}  // namespace walferry

#endif  // ENGINE_ANALYZE_H_
