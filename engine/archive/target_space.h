#ifndef ENGINE_ARCHIVE_TARGET_SPACE_H_
#define ENGINE_ARCHIVE_TARGET_SPACE_H_

// Whether the target's disk can take a database, where that can be known.

#include <cstdint>

#include "absl/status/status.h"
#include "protocol/pg_connection.h"

namespace walferry {

// It can be known of a server on this machine whose data directory we may look
// into, and whose role may be told where that is; others pass.
// kFailedPrecondition: less than `share` percent of `bytes` are free.
absl::Status CheckTargetSpace(PgConnection& target, int64_t bytes, int share);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_TARGET_SPACE_H_
