#include "tools/signal_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace walferry {
namespace {

// A handler has no argument to find its state by, so this one is of the
// process.
struct Watched {
  std::atomic<Control*> control = nullptr;
  std::atomic<bool> interrupt_cuts_over = false;
  std::atomic<int> wake_fd = -1;
};
Watched watched;
static_assert(std::atomic<Control*>::is_always_lock_free);

void WakeUp() {
  const uint64_t one = 1;
  const int saved_errno = errno;
  // Fails only if the counter is full, and then it is readable anyway.
  const ssize_t ignored = write(watched.wake_fd.load(), &one, sizeof one);
  static_cast<void>(ignored);
  errno = saved_errno;
}

void HandleSignal(int signal_number) {
  Control* control = watched.control.load();
  if (control == nullptr) return;
  const bool interrupt = signal_number == SIGINT;
  if (interrupt && control->stop_requested()) {
    signal(SIGINT, SIG_DFL);
    raise(SIGINT);
    return;
  }
  const bool cuts_over = interrupt && watched.interrupt_cuts_over.load() &&
                         !control->cutover_requested();
  if (cuts_over) {
    control->RequestCutover();
  } else {
    control->RequestStop();
  }
  WakeUp();
}

void HandleUnlessIgnored(int signal_number, const struct sigaction& action,
                         struct sigaction& previous) {
  sigaction(signal_number, nullptr, &previous);
  if (previous.sa_handler == SIG_IGN) return;
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

SignalWatch::SignalWatch(Control& control, InterruptMeaning meaning) {
  watched.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  watched.interrupt_cuts_over = meaning == InterruptMeaning::kCutover;
  watched.control = &control;
  struct sigaction action = {};
  action.sa_handler = HandleSignal;
  sigemptyset(&action.sa_mask);
  // Each handler runs alone.
  sigaddset(&action.sa_mask, SIGINT);
  sigaddset(&action.sa_mask, SIGTERM);
  sigaddset(&action.sa_mask, SIGHUP);
  action.sa_flags = SA_RESTART;
  HandleUnlessIgnored(SIGINT, action, previous_interrupt_);
  HandleUnlessIgnored(SIGHUP, action, previous_hang_up_);
  sigaction(SIGTERM, &action, &previous_terminate_);
}

SignalWatch::~SignalWatch() {
  sigaction(SIGINT, &previous_interrupt_, nullptr);
  sigaction(SIGHUP, &previous_hang_up_, nullptr);
  sigaction(SIGTERM, &previous_terminate_, nullptr);
  watched.control = nullptr;
  close(watched.wake_fd.exchange(-1));
}

void SignalWatch::Wait(absl::Duration patience) {
  pollfd readable = {watched.wake_fd.load(), POLLIN, 0};
  const int64_t milliseconds =
      std::clamp<int64_t>(absl::ToInt64Milliseconds(patience), 0, 60'000);
  if (poll(&readable, 1, static_cast<int>(milliseconds)) <= 0) return;
  uint64_t count = 0;
  const ssize_t ignored = read(readable.fd, &count, sizeof count);
  static_cast<void>(ignored);
}

void SignalWatch::Wake() { WakeUp(); }

void IgnoreBrokenPipes() { signal(SIGPIPE, SIG_IGN); }

}  // namespace walferry
