#include "protocol/pg_interrupt.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "protocol/pg_wait.h"

namespace walferry {

Interrupt::Interrupt(const Interrupt* parent)
    : parent_(parent), fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Interrupt::~Interrupt() {
  if (fd_ >= 0) close(fd_);
}

void Interrupt::Raise() {
  const int saved_errno = errno;
  raised_.store(true, std::memory_order_release);
  const uint64_t one = 1;
  // Can only fail when the counter is full: then it is readable already.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof(one));
  errno = saved_errno;
}

absl::Status Interrupt::Sleep(absl::Duration duration) const {
  const absl::Time deadline = absl::Now() + duration;
  while (true) {
    absl::Status status =
        WaitForSocket(-1, 0, {.deadline = deadline, .interrupt = this});
    if (absl::IsDeadlineExceeded(status)) return absl::OkStatus();
    if (!status.ok()) return status;
  }
}

}  // namespace walferry
