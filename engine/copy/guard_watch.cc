#include "engine/copy/guard_watch.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/status.h"

namespace walferry {

// The guard's lock harms nobody but who wants the table for himself, and then
// everybody behind him: a migration of the schema, say.
absl::Status GuardWatch::Look() {
  RETURN_IF_ERROR(snapshot_.Check());
  const auto waiters = snapshot_.Waiters();
  if (!waiters.ok()) return absl::OkStatus();  // The next Check() will tell.
  const absl::Time now = absl::Now();
  absl::flat_hash_map<WhoWaits, absl::Time> seen;
  for (const GuardWaiter& waiter : *waiters) {
    const WhoWaits who(waiter.pid, waiter.table_oid);
    const auto before = first_seen_.find(who);
    const absl::Time since = before == first_seen_.end() ? now : before->second;
    const absl::Duration waited = std::max(waiter.waited, now - since);
    seen.emplace(who, since);
    const std::string what =
        absl::StrCat("source: session ", waiter.pid, " waits for the lock on ",
                     name_of_(waiter.table_oid), " that the copy holds");
    if (waited >= patience_) {
      return absl::AbortedError(absl::StrCat(
          what, ", for ",
          absl::FormatDuration(absl::Trunc(waited, absl::Seconds(1))),
          ": the copy gives way and goes on with a new snapshot"));
    }
    if (before == first_seen_.end()) {
      events_.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = absl::StrCat(
              what, "; whoever wants the table waits behind it; the copy ",
              "gives way after ", absl::FormatDuration(patience_))});
    }
  }
  first_seen_ = std::move(seen);
  return absl::OkStatus();
}

}  // namespace walferry
