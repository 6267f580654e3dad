#ifndef ENGINE_CUTOVER_QUIET_SOURCE_H_
#define ENGINE_CUTOVER_QUIET_SOURCE_H_

// Whether the source is still being written: the question that a cutover
// hangs on.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"

namespace walferry {

// Transactions on the source's database that have written and not ended, now.
struct OpenWriters {
  int64_t sessions = 0;
  int64_t prepared = 0;
  bool none() const { return sessions == 0 && prepared == 0; }
  // "2 open transactions, 1 prepared transaction".
  std::string Describe() const;
};
absl::StatusOr<OpenWriters> CountOpenWriters(PgConnection& source);

// What ALTER DATABASE has set default_transaction_read_only to; "": nothing.
absl::StatusOr<std::string> ReadOnlySetting(PgConnection& source);

// Makes the source's database read-only for new transactions and ends the
// sessions of other clients, which could still write, whatever role they have.
// Returns when those are gone, and calls `wait` meanwhile. New sessions can
// switch it off for themselves: it keeps honest writers out, not hostile ones.
// An error may leave it half done. kPermissionDenied, kFailedPrecondition: it
// could not end some sessions (which).
absl::Status FreezeDatabase(PgConnection& source,
                            const std::function<absl::Status()>& wait);
// The opposite, also for a database that was not frozen. `earlier` is what
// ReadOnlySetting() told before.
absl::Status UnfreezeDatabase(PgConnection& source, const std::string& earlier);

}  // namespace walferry

#endif  // ENGINE_CUTOVER_QUIET_SOURCE_H_
