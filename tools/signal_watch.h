#ifndef TOOLS_SIGNAL_WATCH_H_
#define TOOLS_SIGNAL_WATCH_H_

// Turns SIGINT, SIGTERM and SIGHUP into requests to the engine while it works.

#include <signal.h>

#include "absl/time/time.h"
#include "engine/control.h"

namespace walferry {

// What Ctrl+C asks for first.
enum class InterruptMeaning { kStop, kCutover };

// SIGTERM stops, and SIGHUP: a terminal that went away. SIGINT stops too, or
// with kCutover asks for the cutover, and stops while that is asked for
// already. A SIGINT after a stop ends the process as if nobody watched. A
// SIGINT or SIGHUP that is ignored stays ignored: shells start a script's
// background jobs so, and a Ctrl+C that ends the script is not meant for them,
// nor is nohup's command meant to end. The handlers themselves act on
// `control`, so nothing need wait on the watch for that.
//
// One at a time in a process; the handlers before it are restored when it is
// destroyed. `control` outlives it.
class SignalWatch {
 public:
  SignalWatch(Control& control, InterruptMeaning meaning);
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;
  ~SignalWatch();

  // Waits until a signal has come or Wake() was called since the last Wait(),
  // or `patience` is over.
  void Wait(absl::Duration patience);

  // Thread-safe.
  void Wake();

 private:
  struct sigaction previous_interrupt_;
  struct sigaction previous_hang_up_;
  struct sigaction previous_terminate_;
};

// A reader that went away (`walferry ... | head`) is an error of the write,
// not the end of the process.
void IgnoreBrokenPipes();

}  // namespace walferry

#endif  // TOOLS_SIGNAL_WATCH_H_
