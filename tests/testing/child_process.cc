#include "tests/testing/child_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "protocol/status.h"
#include "tests/testing/read_file.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

std::vector<std::string> ChildEnvironment(const ChildOptions& options) {
  std::vector<std::string> environment = options.environment;
  const auto add = [&environment](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    for (const std::string& present : environment) {
      if (absl::StartsWith(present, name)) return;
    }
    environment.push_back(entry);
  };
  if (options.clean_environment) {
    const char* path = std::getenv("PATH");
    add(absl::StrCat("PATH=", path == nullptr ? "/usr/bin:/bin" : path));
    add("LC_ALL=C");
    add("HOME=/");
    return environment;
  }
  for (char** entry = environ; *entry != nullptr; ++entry) add(*entry);
  return environment;
}

std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));
  }
  pointers.push_back(nullptr);
  return pointers;
}

// setpriv changes the user and then becomes the program: same process id, and
// no work for us between fork and exec.
std::vector<std::string> CommandAs(const ChildOptions& options) {
  if (options.user.empty()) return options.command;
  std::vector<std::string> command = {
      "setpriv", absl::StrCat("--reuid=", options.user),
      absl::StrCat("--regid=", options.user), "--init-groups", "--"};
  command.insert(command.end(), options.command.begin(), options.command.end());
  return command;
}

absl::StatusOr<pid_t> Spawn(const ChildOptions& options) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  const absl::Cleanup destroy = [&] {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  };

  constexpr int kAppend = O_WRONLY | O_CREAT | O_APPEND;
  if (options.stdin_fd < 0) {
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  } else {
    posix_spawn_file_actions_adddup2(&actions, options.stdin_fd, 0);
  }
  if (!options.stdout_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, 1, options.stdout_path.c_str(),
                                     kAppend, 0644);
  }
  if (!options.stderr_path.empty()) {
    posix_spawn_file_actions_addopen(&actions, 2, options.stderr_path.c_str(),
                                     kAppend, 0644);
  }
  posix_spawn_file_actions_addchdir_np(&actions, options.directory.c_str());

  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID |
                                            POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETSIGDEF);

  const std::vector<std::string> command = CommandAs(options);
  const std::vector<std::string> environment = ChildEnvironment(options);
  pid_t pid = -1;
  const int error =
      posix_spawnp(&pid, command.front().c_str(), &actions, &attributes,
                   Pointers(command).data(), Pointers(environment).data());
  if (error != 0) {
    return absl::ErrnoToStatus(
        error, absl::StrCat("start ", absl::StrJoin(options.command, " ")));
  }
  return pid;
}

}  // namespace

absl::StatusOr<ChildProcess> ChildProcess::Start(const ChildOptions& options) {
  if (options.command.empty()) {
    return absl::InvalidArgumentError("start: no command");
  }
  ASSIGN_OR_RETURN(const pid_t pid, Spawn(options));
  return ChildProcess(pid);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_code_(other.exit_code_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this == &other) return *this;
  KillAndReap();
  pid_ = std::exchange(other.pid_, -1);
  exit_code_ = other.exit_code_;
  return *this;
}

ChildProcess::~ChildProcess() { KillAndReap(); }

void ChildProcess::KillAndReap() {
  if (pid_ < 0 || Poll().has_value()) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::Signal(int signal_number) {
  if (pid_ >= 0 && !Poll().has_value()) kill(pid_, signal_number);
}

std::optional<int> ChildProcess::Poll() {
  if (exit_code_.has_value()) return exit_code_;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) {
    exit_code_ =
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return exit_code_;
}

absl::StatusOr<int> ChildProcess::Wait(absl::Duration patience) {
  if (WaitUntil([this] { return Poll().has_value(); }, patience)) {
    return *exit_code_;
  }
  return absl::DeadlineExceededError(
      absl::StrCat("process ", pid_, ": still running after ",
                   absl::FormatDuration(patience)));
}

absl::StatusOr<CommandResult> RunCommand(ChildOptions options,
                                         absl::Duration patience) {
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  const std::string path = directory.path() + "/output";
  options.stdout_path = path;
  options.stderr_path = path;
  ASSIGN_OR_RETURN(ChildProcess child, ChildProcess::Start(options));
  CommandResult result;
  ASSIGN_OR_RETURN(result.exit_code, child.Wait(patience));
  result.output = ReadFile(path);
  return result;
}

}  // namespace walferry
