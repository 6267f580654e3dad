#ifndef APPLY_STREAM_LOCK_H_
#define APPLY_STREAM_LOCK_H_

// The advisory lock on the target that a stream's only writer holds.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// The two int4 of pg_advisory_lock(int4, int4): a hash of ledger schema and
// stream name that every version of walferry computes alike.
struct StreamLockKey {
  int32_t first = 0;
  int32_t second = 0;

  friend bool operator==(const StreamLockKey&, const StreamLockKey&) = default;
};

StreamLockKey StreamLockKeyOf(absl::string_view ledger_schema,
                              absl::string_view stream);

struct StreamLockHolder {
  int64_t pid = 0;
  // Empty where the role may not see them.
  std::string application_name;
  std::string client_address;

  // `process 4711 ("walferry" at 10.0.0.7)`.
  std::string ToString() const;
};

// Who holds the lock in the connection's database, if anyone.
absl::StatusOr<std::optional<StreamLockHolder>> FindStreamLockHolder(
    PgConnection& connection, StreamLockKey key);

// Takes the lock for the connection's session, for as long as it lives. Asks
// again and again until `deadline`, then kAborted tells who holds it. Calls
// `on_wait`, unless it is empty, once with what it waits for. `interrupt` may
// be null.
absl::Status AcquireStreamLock(
    PgConnection& connection, StreamLockKey key, absl::Time deadline,
    const Interrupt* interrupt,
    const std::function<void(absl::string_view)>& on_wait);

// Sleeps before the next try of something that another session still holds:
// kCancelled if interrupted.
absl::Status PauseBeforeRetry(const Interrupt* interrupt);

}  // namespace walferry

#endif  // APPLY_STREAM_LOCK_H_
