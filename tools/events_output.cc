#include "tools/events_output.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

// As a run leaves it that was killed while it wrote.
bool EndsInHalfALine(const std::string& path) {
  std::error_code ignored;  // Opening it tells.
  if (!std::filesystem::is_regular_file(path, ignored)) return false;
  std::ifstream file(path, std::ios::binary);
  file.seekg(-1, std::ios::end);
  char last = '\n';
  return file.get(last) && last != '\n';
}

}  // namespace

absl::StatusOr<std::unique_ptr<EventsOutput>> EventsOutput::Open(
    const std::string& path, std::ostream& out) {
  auto output = std::make_unique<EventsOutput>();
  output->stream_ = &out;
  if (path == "-") return output;
  const bool torn = EndsInHalfALine(path);
  errno = 0;
  output->file_.open(path, std::ios::app);
  output->stream_ = &output->file_;
  if (torn) output->file_ << '\n';
  if (output->file_) return output;
  return absl::InvalidArgumentError(
      absl::StrCat("cannot open --events ", path, ": ", std::strerror(errno)));
}

}  // namespace walferry
