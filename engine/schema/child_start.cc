#include "engine/schema/child_start.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status SystemError(absl::string_view what) {
  return absl::ErrnoToStatus(errno, absl::StrCat("start a program: ", what));
}

// Above the standard streams, which the child's own will take.
absl::StatusOr<OwnedFd> Lifted(OwnedFd fd) {
  if (fd.get() > STDERR_FILENO) return fd;
  OwnedFd lifted(fcntl(fd.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
  if (lifted.get() < 0) return SystemError("fcntl");
  return lifted;
}

struct Pipe {
  OwnedFd read;
  OwnedFd write;
};

absl::StatusOr<Pipe> OpenPipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return SystemError("pipe");
  OwnedFd read_end(ends[0]);
  OwnedFd write_end(ends[1]);
  ASSIGN_OR_RETURN(read_end, Lifted(std::move(read_end)));
  ASSIGN_OR_RETURN(write_end, Lifted(std::move(write_end)));
  return Pipe{.read = std::move(read_end), .write = std::move(write_end)};
}

absl::Status SetNonBlocking(const OwnedFd& fd) {
  if (fcntl(fd.get(), F_SETFL, O_NONBLOCK) == 0) return absl::OkStatus();
  return SystemError("fcntl");
}

// A file in memory: a pipe would want to be fed, and breaks.
absl::StatusOr<OwnedFd> MemoryFile(absl::string_view bytes) {
  ASSIGN_OR_RETURN(OwnedFd file,
                   Lifted(OwnedFd(memfd_create("input", MFD_CLOEXEC))));
  while (!bytes.empty()) {
    const ssize_t size = write(file.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return SystemError("write its input");
    bytes.remove_prefix(static_cast<size_t>(size));
  }
  if (lseek(file.get(), 0, SEEK_SET) != 0) return SystemError("lseek");
  return file;
}

absl::StatusOr<OwnedFd> InputOf(const ChildOptions& options) {
  if (options.input_file.empty()) return MemoryFile(options.input);
  OwnedFd opened(open(options.input_file.c_str(), O_RDONLY | O_CLOEXEC));
  if (opened.get() < 0) {
    return absl::ErrnoToStatus(errno, options.input_file);
  }
  ASSIGN_OR_RETURN(OwnedFd file, Lifted(std::move(opened)));
  if (lseek(file.get(), options.input_offset, SEEK_SET) < 0) {
    return absl::ErrnoToStatus(errno, options.input_file);
  }
  return file;
}

std::vector<std::string> Environment(const ChildOptions& options) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : options.environment) {
    entries.push_back(absl::StrCat(name, "=", value));
  }
  for (char** own = environ; *own != nullptr; ++own) {
    bool replaced = !options.dropped_prefix.empty() &&
                    absl::StartsWith(*own, options.dropped_prefix);
    for (const auto& [name, value] : options.environment) {
      replaced |= absl::StartsWith(*own, absl::StrCat(name, "="));
    }
    if (!replaced) entries.emplace_back(*own);
  }
  return entries;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (const std::string& string : strings) {
    // execve() changes nothing of it; its signature is older than const.
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// Everything the child touches between fork and exec. Our process has threads,
// so the child may call nothing there that is not async-signal-safe.
struct ChildSide {
  std::vector<char*> argv;
  std::vector<char*> environment;
  pid_t parent;
  int input, output, errors;  // Become its standard streams.
  int failure;                // Takes errno if anything fails.
};

[[noreturn]] void Become(const ChildSide& side) {
  bool ready = setsid() >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
  if (getppid() != side.parent) _exit(127);  // Died before the prctl().
  ready = ready && dup2(side.input, STDIN_FILENO) >= 0 &&
          dup2(side.output, STDOUT_FILENO) >= 0 &&
          dup2(side.errors, STDERR_FILENO) >= 0;
  signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  if (ready) execve(side.argv[0], side.argv.data(), side.environment.data());
  const int error = errno;
  [[maybe_unused]] const ssize_t written =
      write(side.failure, &error, sizeof(error));
  _exit(127);
}

// All signals wait while it lives: a handler of ours must not run in the
// child.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

// 0, or why the child could not become the program.
int FailureOfChild(const OwnedFd& failure) {
  int error = 0;
  ssize_t size = 0;
  do {
    size = read(failure.get(), &error, sizeof(error));
  } while (size < 0 && errno == EINTR);
  return size == sizeof(error) ? error : 0;
}

}  // namespace

void OwnedFd::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

absl::StatusOr<StartedChild> StartChild(const ChildOptions& options) {
  const std::vector<std::string>& argv = options.argv;
  ASSIGN_OR_RETURN(const OwnedFd file, InputOf(options));
  ASSIGN_OR_RETURN(Pipe output, OpenPipe());
  ASSIGN_OR_RETURN(Pipe errors, OpenPipe());
  ASSIGN_OR_RETURN(Pipe failure, OpenPipe());
  RETURN_IF_ERROR(SetNonBlocking(output.read));
  RETURN_IF_ERROR(SetNonBlocking(errors.read));
  const std::vector<std::string> variables = Environment(options);
  const ChildSide side = {.argv = Pointers(argv),
                          .environment = Pointers(variables),
                          .parent = getpid(),
                          .input = file.get(),
                          .output = output.write.get(),
                          .errors = errors.write.get(),
                          .failure = failure.write.get()};
  pid_t pid = -1;
  {
    const SignalsBlocked blocked;
    pid = fork();
    if (pid == 0) Become(side);
  }
  if (pid < 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("fork for ", argv[0]));
  }
  failure.write.Close();
  if (const int error = FailureOfChild(failure.read); error != 0) {
    waitpid(pid, nullptr, 0);
    return absl::ErrnoToStatus(error, absl::StrCat("run ", argv[0]));
  }
  return StartedChild{.pid = pid,
                      .output = std::move(output.read),
                      .errors = std::move(errors.read)};
}

}  // namespace walferry
