#include "engine/archive/disk_files.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <limits>
#include <memory>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr size_t kPiece = size_t{64} << 10;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using FilePtr = std::unique_ptr<std::FILE, CloseFile>;

// Of a file or a folder.
absl::Status Sync(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::ErrnoToStatus(errno, path);
  const auto close_it = absl::MakeCleanup([fd] { close(fd); });
  if (fsync(fd) == 0) return absl::OkStatus();
  return absl::ErrnoToStatus(errno, absl::StrCat("fsync ", path));
}

}  // namespace

absl::StatusOr<std::string> ReadWholeFile(const std::string& path) {
  return ReadBeginning(path, std::numeric_limits<size_t>::max());
}

absl::StatusOr<std::string> ReadBeginning(const std::string& path,
                                          size_t size) {
  const FilePtr file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return absl::ErrnoToStatus(errno, path);
  std::string text;
  char piece[kPiece];
  while (text.size() < size) {
    const size_t got = std::fread(
        piece, 1, std::min(sizeof(piece), size - text.size()), file.get());
    if (got == 0) break;
    text.append(piece, got);
  }
  if (std::ferror(file.get()) != 0) return absl::ErrnoToStatus(errno, path);
  return text;
}

absl::Status ForEachPiece(
    const std::string& path,
    absl::FunctionRef<absl::Status(absl::string_view)> take) {
  const FilePtr file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return absl::ErrnoToStatus(errno, path);
  char piece[kPiece];
  while (const size_t got = std::fread(piece, 1, sizeof(piece), file.get())) {
    RETURN_IF_ERROR(take({piece, got}));
  }
  if (std::ferror(file.get()) != 0) return absl::ErrnoToStatus(errno, path);
  return absl::OkStatus();
}

absl::Status WriteWholeFile(const std::string& path, absl::string_view text) {
  FilePtr file(std::fopen(path.c_str(), "wbe"));
  if (file == nullptr) return absl::ErrnoToStatus(errno, path);
  const size_t written = std::fwrite(text.data(), 1, text.size(), file.get());
  // What is buffered may only now find the disk full.
  if (written != text.size() || std::fclose(file.release()) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return absl::OkStatus();
}

absl::Status SyncFolder(const std::string& folder) {
  std::error_code error;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(folder, error)) {
    RETURN_IF_ERROR(Sync(entry.path().string()));
  }
  if (error) return absl::ErrnoToStatus(error.value(), folder);
  return Sync(folder);
}

absl::Status RenameFolder(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("rename ", from, " to ", to));
  }
  const std::filesystem::path parent = std::filesystem::path(to).parent_path();
  return Sync(parent.empty() ? "." : parent.string());
}

int64_t BytesOfFolder(const std::string& folder) {
  int64_t bytes = 0;
  std::error_code gone;
  std::filesystem::recursive_directory_iterator place(folder, gone);
  while (!gone && place != std::filesystem::recursive_directory_iterator()) {
    std::error_code ignored;
    if (place->is_regular_file(ignored)) {
      const uintmax_t size = place->file_size(ignored);
      if (!ignored) bytes += static_cast<int64_t>(size);
    }
    place.increment(gone);
  }
  return bytes;
}

absl::StatusOr<int64_t> FreeBytes(const std::string& path) {
  struct statvfs facts = {};
  if (statvfs(path.c_str(), &facts) != 0) {
    return absl::ErrnoToStatus(errno, path);
  }
  return static_cast<int64_t>(facts.f_bavail) *
         static_cast<int64_t>(facts.f_frsize);
}

}  // namespace walferry
