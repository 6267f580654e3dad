#ifndef ENGINE_SCHEMA_SEQUENCES_H_
#define ENGINE_SCHEMA_SEQUENCES_H_

// Brings sequences to the source's values: the stream does not carry them.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Sets last_value and is_called of every sequence on the target as they are on
// the source, and reads them back. Returns how many. Nobody may draw from the
// source's sequences meanwhile. May be repeated: setval() obeys no transaction,
// so after an error some are set. kNotFound: one is missing (which); kAborted:
// one has another value afterwards, someone draws from it on the target.
absl::StatusOr<int64_t> SyncSequences(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences);

struct SequenceAdvance {
  int64_t set = 0;
  // Those that are further on the target, which stay as they are.
  std::vector<QualifiedName> ahead;
};

// As SyncSequences, for sequences that others may have drawn from on the
// target: none goes back, as numbers that were given out would come again.
absl::StatusOr<SequenceAdvance> AdvanceSequences(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences);

// Every sequence has the same last_value and is_called on both sides.
absl::StatusOr<bool> SequencesMatch(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SEQUENCES_H_
