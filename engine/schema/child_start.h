#ifndef ENGINE_SCHEMA_CHILD_START_H_
#define ENGINE_SCHEMA_CHILD_START_H_

// Starts a child process that reads given bytes or a file and writes into
// pipes. For engine/schema/subprocess.cc alone.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace walferry {

// Closes a file descriptor when destroyed. -1: none.
class OwnedFd {
 public:
  OwnedFd() = default;
  explicit OwnedFd(int fd) : fd_(fd) {}
  OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  OwnedFd& operator=(OwnedFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~OwnedFd() { Close(); }

  int get() const { return fd_; }
  void Close();

 private:
  int fd_ = -1;
};

struct ChildOptions {
  // As in SubprocessOptions, which see.
  const std::vector<std::string>& argv;
  const std::vector<std::pair<std::string, std::string>>& environment;
  absl::string_view dropped_prefix;
  absl::string_view input;
  const std::string& input_file;
  int64_t input_offset;
};

// The child leads a session of its own, blocks no signal, and gets
// SIGKILL when the thread that started it ends. Its caller reaps it.
struct StartedChild {
  pid_t pid = -1;
  OwnedFd output;  // Our ends of the pipes, non-blocking.
  OwnedFd errors;
};

// kNotFound, kPermissionDenied: argv[0] cannot be executed, or the input not be
// read.
absl::StatusOr<StartedChild> StartChild(const ChildOptions& options);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_CHILD_START_H_
