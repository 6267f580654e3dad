#include "bench/copy/command_queue.h"

#include <algorithm>
#include <list>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "bench/process_usage.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/read_file.h"
#include "tests/testing/temp_dir.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

std::string ShellWord(const std::string& word) {
  return absl::StrCat("'", absl::StrReplaceAll(word, {{"'", R"('\'')"}}), "'");
}

std::string ShellWords(const Command& command) {
  return absl::StrJoin(command, " ",
                       [](std::string* out, const std::string& word) {
                         out->append(ShellWord(word));
                       });
}

class CommandQueue {
 public:
  CommandQueue(const std::vector<Command>& commands, std::string output)
      : commands_(commands), output_(std::move(output)) {}

  // False once nothing runs and nothing is left to be started.
  absl::StatusOr<bool> Step(size_t jobs, int64_t* peak_kib) {
    for (auto running = running_.begin(); running != running_.end();) {
      if (peak_kib != nullptr) {
        *peak_kib = std::max(*peak_kib, PeakKibOf(running->pid()));
      }
      const std::optional<int> exit_code = running->Poll();
      if (exit_code.value_or(0) != 0) {
        return absl::UnknownError(
            absl::StrCat("exit code ", *exit_code, ": ", ReadFile(output_)));
      }
      running = exit_code.has_value() ? running_.erase(running) : ++running;
    }
    while (running_.size() < jobs && next_ < commands_.size()) {
      ASSIGN_OR_RETURN(ChildProcess child,
                       ChildProcess::Start({.command = commands_[next_++],
                                            .stdout_path = output_,
                                            .stderr_path = output_}));
      running_.push_back(std::move(child));
    }
    return !running_.empty();
  }

 private:
  const std::vector<Command>& commands_;
  const std::string output_;
  size_t next_ = 0;
  std::list<ChildProcess> running_;
};

}  // namespace

Command Pipeline(const Command& from, const Command& into) {
  return {"bash", "-c",
          absl::StrCat("set -o pipefail; ", ShellWords(from), " | ",
                       ShellWords(into))};
}

absl::Status RunCommands(const std::vector<Command>& commands, size_t jobs,
                         int64_t* peak_kib) {
  ASSIGN_OR_RETURN(const TempDir directory, TempDir::Create());
  CommandQueue queue(commands, directory.path() + "/output");
  absl::StatusOr<bool> more = true;
  const bool ended = WaitUntil(
      [&] {
        more = queue.Step(jobs, peak_kib);
        return !more.ok() || !*more;
      },
      kRunPatience);
  RETURN_IF_ERROR(more.status());
  return ended ? absl::OkStatus()
               : absl::DeadlineExceededError("the programs did not end");
}

}  // namespace walferry
