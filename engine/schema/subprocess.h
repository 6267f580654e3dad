#ifndef ENGINE_SCHEMA_SUBPROCESS_H_
#define ENGINE_SCHEMA_SUBPROCESS_H_

// Runs another program to its end, without a shell.

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct SubprocessOptions {
  // argv[0] is the program's path. Visible to every user of the machine: no
  // passwords.
  std::vector<std::string> argv;
  // Added to our own environment; replaces variables of the same name.
  std::vector<std::pair<std::string, std::string>> environment;
  // Variables of our own environment whose names begin so are not handed on;
  // "": all are.
  std::string dropped_prefix;
  // What it reads from stdin.
  absl::string_view input;
  // Instead of `input`: a file, and where in it to begin. "": none.
  std::string input_file;
  int64_t input_offset = 0;
  // More output than that ends the program with kResourceExhausted.
  size_t max_output_bytes = size_t{1} << 30;
  // If set, receives stdout piece by piece; SubprocessResult::output stays
  // empty, and there may be any amount of it. Like the two below it is called
  // by the calling thread, and keeps the program waiting.
  std::function<void(absl::string_view)> on_output;
  // If set, also receives stderr, piece by piece.
  std::function<void(absl::string_view)> on_errors;
  // If set, called again and again while the program runs, at least every
  // 10 ms unless it takes longer itself.
  std::function<void()> while_running;
  absl::Duration timeout = absl::InfiniteDuration();
  // Ends the program; may be null.
  const Interrupt* interrupt = nullptr;
};

struct SubprocessResult {
  int exit_code = 0;   // 128 + signal when a signal ended it.
  std::string output;  // stdout.
  std::string errors;  // The last 64 KiB of stderr.

  bool ok() const { return exit_code == 0; }
};

// Blocks until the program has ended and is reaped. kNotFound or
// kPermissionDenied: it cannot be executed; kDeadlineExceeded, kCancelled: it
// was ended by SIGTERM, or SIGKILL 3 s later. The program runs in a session
// of its own (Ctrl+C does not reach it, and it cannot ask the terminal for a
// password) and dies when we die. Callable from any thread.
absl::StatusOr<SubprocessResult> RunSubprocess(
    const SubprocessOptions& options);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_SUBPROCESS_H_
