#ifndef ENGINE_COPY_COPY_RATE_H_
#define ENGINE_COPY_COPY_RATE_H_

// How fast a migration copies, as another process can see it.

#include "absl/status/statusor.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Bytes per second of the ranges that were committed in the last five minutes,
// from the first of them on; 0 while there is one at most.
absl::StatusOr<double> RecentCopyRate(PgConnection& target,
                                      const LedgerKey& key);

}  // namespace walferry

#endif  // ENGINE_COPY_COPY_RATE_H_
