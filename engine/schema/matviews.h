#ifndef ENGINE_SCHEMA_MATVIEWS_H_
#define ENGINE_SCHEMA_MATVIEWS_H_

// Fills materialized views: their rows are computed anew, never copied.

#include <cstdint>
#include <functional>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Refreshes, in the order given, those that are populated on the source and
// `delayed` or not, each in a transaction of its own. Returns how many.
// `on_view` is told the name of each before it begins, and its error ends the
// work; may be empty.
absl::StatusOr<int64_t> RefreshMaterializedViews(
    PgConnection& target, const std::vector<CatalogMaterializedView>& views,
    const std::function<absl::Status(absl::string_view)>& on_view,
    bool delayed = false);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_MATVIEWS_H_
