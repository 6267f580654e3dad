#ifndef ENGINE_VERIFY_LARGE_OBJECT_COMPARISON_H_
#define ENGINE_VERIFY_LARGE_OBJECT_COMPARISON_H_

// Compares large objects by their numbers and bytes.

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "engine/verify/row_hash.h"
#include "engine/verify/snapshot_pair.h"
#include "engine/verify/verification.h"

namespace walferry {

// As a verdict on pg_catalog.pg_largeobject, with a row for each object;
// nullopt if there is none on either side. Errors as of CompareTableRows.
absl::StatusOr<std::optional<TableVerdict>> CompareLargeObjects(
    SessionPair& sessions, RowHash hash, bool count_only, int64_t max_reported);

}  // namespace walferry

#endif  // ENGINE_VERIFY_LARGE_OBJECT_COMPARISON_H_
