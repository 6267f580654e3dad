#include "engine/guard_watch.h"

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

// The guard's lock harms nobody but who wants the table for himself, and then
// everybody behind him: a migration of the schema, say.
absl::Status GuardWatch::Look() {
  RETURN_IF_ERROR(snapshot_.Check());
  const auto waiters = snapshot_.Waiters();
  if (!waiters.ok()) return absl::OkStatus();  // The next Check() will tell.
  for (const GuardWaiter& waiter : *waiters) {
    const std::string what =
        absl::StrCat("source: session ", waiter.pid, " waits for the lock on ",
                     name_of_(waiter.table_oid), " that the copy holds");
    if (waiter.waited >= patience_) {
      return absl::AbortedError(absl::StrCat(
          what, ", for ",
          absl::FormatDuration(absl::Trunc(waiter.waited, absl::Seconds(1))),
          ": the copy gives way and goes on with a new snapshot"));
    }
    if (warned_of_.insert(waiter.pid).second) {
      events_.OnEvent(Notice{
          .level = Notice::Level::kWarning,
          .text = absl::StrCat(
              what, "; whoever wants the table waits behind it; the copy ",
              "gives way after ", absl::FormatDuration(patience_))});
    }
  }
  return absl::OkStatus();
}

}  // namespace walferry
