#ifndef ENGINE_SEQUENCES_H_
#define ENGINE_SEQUENCES_H_

// Brings sequences to the source's values: the stream does not carry them.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Sets last_value and is_called of every sequence on the target as they are on
// the source, all in one transaction, and reads them back. Returns how many.
// Nobody may draw from the source's sequences meanwhile. kNotFound: one is
// missing (which). The target's connection is not in a transaction.
absl::StatusOr<int64_t> SyncSequences(
    PgConnection& source, PgConnection& target,
    const std::vector<CatalogSequence>& sequences);

}  // namespace walferry

#endif  // ENGINE_SEQUENCES_H_
