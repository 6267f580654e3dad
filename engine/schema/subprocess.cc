#include "engine/schema/subprocess.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/schema/child_start.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kKeptErrors = size_t{64} << 10;
constexpr absl::Duration kGrace = absl::Seconds(3);
// How late the end of a child is noticed that has closed its output before, or
// has left it open to a child of its own.
constexpr absl::Duration kTick = absl::Milliseconds(10);

// One running child, fed and listened to until it has ended.
class Conversation {
 public:
  Conversation(const SubprocessOptions& options, StartedChild child)
      : options_(options),
        child_(std::move(child)),
        deadline_(absl::Now() + options.timeout) {}

  absl::StatusOr<SubprocessResult> Hold() {
    while (!ended_.has_value()) {
      Listen();
      if (options_.while_running) options_.while_running();
      Reap();
      if (!ended_.has_value()) EndIfDue();
    }
    RETURN_IF_ERROR(why_ended_);
    if (result_.errors.size() > kKeptErrors) TrimErrors();
    result_.exit_code =
        WIFEXITED(*ended_) ? WEXITSTATUS(*ended_) : 128 + WTERMSIG(*ended_);
    return std::move(result_);
  }

 private:
  void Listen() {
    pollfd waits[] = {
        {child_.output.get(), POLLIN, 0},
        {child_.errors.get(), POLLIN, 0},
        {why_ended_.ok() && options_.interrupt != nullptr
             ? options_.interrupt->fd()
             : -1,
         POLLIN, 0},
    };
    poll(waits, std::size(waits),
         static_cast<int>(absl::ToInt64Milliseconds(kTick)));
    if (waits[0].revents != 0) Receive(child_.output, result_.output);
    if (waits[1].revents != 0) ReceiveErrors();
    if (options_.on_output && !result_.output.empty()) {
      options_.on_output(result_.output);
      result_.output.clear();
    }
    if (result_.errors.size() > 2 * kKeptErrors) TrimErrors();
    if (result_.output.size() > options_.max_output_bytes) {
      End(absl::ResourceExhaustedError(
          absl::StrCat(options_.argv[0], ": more than ",
                       options_.max_output_bytes, " bytes of output")));
      result_.output.clear();
    }
  }

  void ReceiveErrors() {
    const size_t before = result_.errors.size();
    Receive(child_.errors, result_.errors);
    const absl::string_view all = result_.errors;
    if (options_.on_errors && all.size() > before) {
      options_.on_errors(all.substr(before));
    }
  }

  // More than a pipe holds, so all that a child has left behind.
  static void Receive(OwnedFd& from, std::string& to) {
    char buffer[65536];
    for (int reads = 0; reads < 16 && from.get() >= 0; ++reads) {
      const ssize_t size = read(from.get(), buffer, sizeof(buffer));
      if (size < 0 && errno == EAGAIN) return;
      if (size > 0) {
        to.append(buffer, static_cast<size_t>(size));
      } else if (size == 0 || errno != EINTR) {
        from.Close();
      }
    }
  }

  void TrimErrors() {
    result_.errors.erase(0, result_.errors.size() - kKeptErrors);
  }

  void Reap() {
    int status = 0;
    if (waitpid(child_.pid, &status, WNOHANG) != child_.pid) return;
    ended_ = status;
    Listen();  // What it wrote last may still be in the pipes.
  }

  void EndIfDue() {
    const absl::Time now = absl::Now();
    if (options_.interrupt != nullptr && options_.interrupt->raised()) {
      End(absl::CancelledError(
          absl::StrCat(options_.argv[0], ": interrupted")));
    } else if (now >= deadline_) {
      End(absl::DeadlineExceededError(
          absl::StrCat(options_.argv[0], ": not done after ",
                       absl::FormatDuration(options_.timeout))));
    }
    if (now >= kill_at_) Signal(SIGKILL);
  }

  void End(absl::Status why) {
    if (!why_ended_.ok()) return;
    why_ended_ = std::move(why);
    if (ended_.has_value()) return;
    Signal(SIGTERM);
    kill_at_ = absl::Now() + kGrace;
  }

  // To its whole process group: a wrapper script has children of its own.
  void Signal(int number) { kill(-child_.pid, number); }

  const SubprocessOptions& options_;
  StartedChild child_;
  const absl::Time deadline_;
  absl::Time kill_at_ = absl::InfiniteFuture();
  SubprocessResult result_;
  std::optional<int> ended_;
  absl::Status why_ended_;
};

}  // namespace

absl::StatusOr<SubprocessResult> RunSubprocess(
    const SubprocessOptions& options) {
  ASSIGN_OR_RETURN(StartedChild child,
                   StartChild({.argv = options.argv,
                               .environment = options.environment,
                               .dropped_prefix = options.dropped_prefix,
                               .input = options.input,
                               .input_file = options.input_file,
                               .input_offset = options.input_offset}));
  return Conversation(options, std::move(child)).Hold();
}

}  // namespace walferry
