#ifndef ENGINE_CONTROL_H_
#define ENGINE_CONTROL_H_

// How a running migration is told what to do.

#include <atomic>

#include "protocol/pg_interrupt.h"

namespace walferry {

// Thread-safe, and safe to call from a signal handler. Outlives the run.
class Control {
 public:
  // Cut over as soon as that is possible. Before the follow phase it is kept
  // until then.
  void RequestCutover() { cutover_.store(true, std::memory_order_release); }
  bool cutover_requested() const {
    return cutover_.load(std::memory_order_acquire);
  }
  // A cutover that could not be completed in time is taken back.
  void WithdrawCutover() { cutover_.store(false, std::memory_order_release); }

  // Stop now; the run ends with kCancelled and can be resumed.
  void RequestStop() { stop_.Raise(); }
  bool stop_requested() const { return stop_.raised(); }

  const Interrupt& interrupt() const { return stop_; }

 private:
  std::atomic<bool> cutover_ = false;
  Interrupt stop_;
};

}  // namespace walferry

#endif  // ENGINE_CONTROL_H_
