#include "engine/archive/file_marks.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/name_some.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<FileMarks::Mark> FileMarks::MarkOf(const std::string& file) {
  struct stat found = {};
  if (stat(file.c_str(), &found) != 0) return absl::ErrnoToStatus(errno, file);
  return Mark{.device = found.st_dev,
              .inode = found.st_ino,
              .bytes = found.st_size,
              .seconds = found.st_mtim.tv_sec,
              .nanoseconds = found.st_mtim.tv_nsec};
}

absl::StatusOr<FileMarks> FileMarks::Of(const std::string& path) {
  namespace fs = std::filesystem;
  FileMarks marks;
  marks.path_ = path;
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    ASSIGN_OR_RETURN(marks.marks_[path], MarkOf(path));
    return marks;
  }
  fs::recursive_directory_iterator place(path, error);
  while (!error && place != fs::recursive_directory_iterator()) {
    if (!place->is_directory(error) && !error) {
      const std::string file = place->path().string();
      ASSIGN_OR_RETURN(marks.marks_[file], MarkOf(file));
    }
    if (!error) place.increment(error);
  }
  if (error) return absl::ErrnoToStatus(error.value(), path);
  return marks;
}

absl::Status FileMarks::CheckUnchanged() const {
  const absl::StatusOr<FileMarks> now = Of(path_);
  if (!now.ok()) {
    return absl::DataLossError(absl::StrCat(
        "the archive was changed while it was read: ", now.status().message()));
  }
  std::vector<std::string> changes;
  for (const auto& [file, mark] : marks_) {
    const auto found = now->marks_.find(file);
    if (found == now->marks_.end()) {
      changes.push_back(absl::StrCat(file, " is gone"));
    } else if (found->second != mark) {
      changes.push_back(absl::StrCat(file, " was changed"));
    }
  }
  for (const auto& [file, mark] : now->marks_) {
    if (!marks_.contains(file)) {
      changes.push_back(absl::StrCat(file, " is new"));
    }
  }
  if (changes.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "the archive was changed while it was read: ", NameSome(changes)));
}

}  // namespace walferry
