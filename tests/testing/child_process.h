#ifndef TESTS_TESTING_CHILD_PROCESS_H_
#define TESTS_TESTING_CHILD_PROCESS_H_

// Runs programs: servers, and the walferry command as a user would.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace walferry {

struct ChildOptions {
  // The program, looked up on PATH if it has no slash, and its arguments.
  std::vector<std::string> command;

  // "NAME=value" sets or replaces a variable of our own environment.
  std::vector<std::string> environment;

  // Starts with the few variables that any program needs, not with ours: no
  // locale, no PGHOST.
  bool clean_environment = false;

  std::string directory = "/";

  // Becomes standard input; -1: /dev/null. Stays open on our side.
  int stdin_fd = -1;

  // Runs as this user (we must be root then); empty: as ourselves.
  std::string user;

  // Files that receive the output, appended; they may be the same. Empty: our
  // own standard output and error.
  std::string stdout_path;
  std::string stderr_path;
};

// A running child in a session of its own, so that Ctrl+C reaches only us.
// Killed when destroyed, unless it has been waited for. Movable.
class ChildProcess {
 public:
  static absl::StatusOr<ChildProcess> Start(const ChildOptions& options);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();

  pid_t pid() const { return pid_; }

  // Does nothing once the child has ended.
  void Signal(int signal_number);

  // The exit code, or 128 + signal as a shell says; nullopt: still running.
  std::optional<int> Poll();

  // Waits for the end. kDeadlineExceeded: still running.
  absl::StatusOr<int> Wait(absl::Duration patience);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}
  void KillAndReap();

  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

struct CommandResult {
  int exit_code = 0;
  std::string output;  // Standard output and error.
};

// Runs a command to its end; a non-zero exit code is not an error here.
// stdout_path and stderr_path must be empty.
absl::StatusOr<CommandResult> RunCommand(ChildOptions options,
                                         absl::Duration patience);

}  // namespace walferry

#endif  // TESTS_TESTING_CHILD_PROCESS_H_
