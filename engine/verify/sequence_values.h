#ifndef ENGINE_VERIFY_SEQUENCE_VALUES_H_
#define ENGINE_VERIFY_SEQUENCE_VALUES_H_

// What sequences will give next: on the target as on the source, and beyond
// what the columns that own them hold.

#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/verify/verification.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Of sequences that both databases have. Both sessions have an empty
// search_path and are in a transaction. What a role may not read is a finding
// of weight kUnknown. See CompareSchemas for what is a difference and what a
// warning.
absl::StatusOr<std::vector<ObjectDifference>> CompareSequenceValues(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences);

}  // namespace walferry

#endif  // ENGINE_VERIFY_SEQUENCE_VALUES_H_
