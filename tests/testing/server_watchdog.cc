#include "tests/testing/server_watchdog.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

// postmaster.pid is there after the end only if the postmaster was killed; its
// line 7 names the shared memory that nobody has removed then.
constexpr char kScript[] = R"sh(
directory=$1
processes() {
  for process in /proc/[0-9]*; do
    if [ "$process/cwd" -ef "$directory" ] ||
        [ "$process/cwd" -ef "$directory/data" ]; then
      echo "${process#/proc/}"
    fi
  done
}
cat >/dev/null
kill -QUIT $(processes)
tries=0
while [ -n "$(processes)" ] && [ $tries -lt 100 ]; do
  sleep 0.05
  tries=$((tries + 1))
done
kill -KILL $(processes)
if [ -f "$directory/data/postmaster.pid" ]; then
  set -- $(sed -n 7p "$directory/data/postmaster.pid")
  [ -z "$2" ] || ipcrm -m "$2"
fi
rm -rf "$directory"
)sh";

}  // namespace

absl::StatusOr<ServerWatchdog> ServerWatchdog::Start(
    const std::string& directory, const std::string& user) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return absl::ErrnoToStatus(errno, "socketpair");
  }
  ServerWatchdog watchdog(ends[0]);
  const absl::Cleanup close_other = [&ends] { close(ends[1]); };
  // `setsid --fork` lets go of the watchdog: it is init's child then.
  ASSIGN_OR_RETURN(
      ChildProcess setsid,
      ChildProcess::Start({.command = {"setsid", "--fork", "sh", "-c", kScript,
                                       "walferry-watchdog", directory},
                           .clean_environment = true,
                           .stdin_fd = ends[1],
                           .user = user,
                           .stdout_path = "/dev/null",
                           .stderr_path = "/dev/null"}));
  ASSIGN_OR_RETURN(const int exit_code, setsid.Wait(kTestPatience));
  if (exit_code != 0) {
    return absl::InternalError(
        absl::StrCat("setsid for the watchdog: exit code ", exit_code));
  }
  return watchdog;
}

ServerWatchdog::~ServerWatchdog() {
  if (link_ < 0) return;
  shutdown(link_, SHUT_WR);
  char byte;
  while (read(link_, &byte, 1) < 0 && errno == EINTR) {
  }
  close(link_);
}

}  // namespace walferry
