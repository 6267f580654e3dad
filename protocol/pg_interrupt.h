#ifndef PROTOCOL_PG_INTERRUPT_H_
#define PROTOCOL_PG_INTERRUPT_H_

// A flag that wakes every wait on a server, so that "stop" works at once.

#include <atomic>

#include "absl/status/status.h"
#include "absl/time/time.h"

namespace walferry {

// Thread-safe. Raised once and for good; connections that were opened with it
// end what they are doing with kCancelled.
class Interrupt {
 public:
  // Is also raised when `parent` is, which may be null.
  explicit Interrupt(const Interrupt* parent = nullptr);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // Async-signal-safe.
  void Raise();
  bool raised() const {
    return raised_.load(std::memory_order_acquire) ||
           (parent_ != nullptr && parent_->raised());
  }

  // Becomes readable when Raise() is called and stays so. Poll it and the
  // parent's, never read it. Negative: it could not be had.
  int fd() const { return fd_; }
  const Interrupt* parent() const { return parent_; }

  // Waits for `duration`, or less: kCancelled as soon as it is raised.
  absl::Status Sleep(absl::Duration duration) const;

 private:
  const Interrupt* parent_;
  std::atomic<bool> raised_ = false;
  int fd_;
};

}  // namespace walferry

#endif  // PROTOCOL_PG_INTERRUPT_H_
