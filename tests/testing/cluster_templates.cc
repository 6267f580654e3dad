#include "tests/testing/cluster_templates.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/testing/server_user.h"

namespace walferry {
namespace {

namespace fs = std::filesystem;

constexpr int kTemplates = 3;

absl::Status FileError(const std::error_code& error, absl::string_view path) {
  return absl::ErrnoToStatus(error.value(), path);
}

// Only one process makes a template, and the others wait for it.
absl::Status MakeTemplate(const std::string& path, const std::string& user,
                          const ClusterTemplates::MakeDirectory& make) {
  const std::string lock_path = path + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock < 0) return absl::ErrnoToStatus(errno, lock_path);
  const absl::Cleanup unlock = [lock] { close(lock); };
  while (flock(lock, LOCK_EX) != 0) {
    if (errno != EINTR) return absl::ErrnoToStatus(errno, lock_path);
  }
  if (fs::exists(path)) return absl::OkStatus();
  const std::string unfinished = path + ".unfinished";
  std::error_code error;
  fs::remove_all(unfinished, error);
  fs::create_directory(unfinished, error);
  if (error) return FileError(error, unfinished);
  RETURN_IF_ERROR(GiveTo(user, unfinished));
  RETURN_IF_ERROR(make(unfinished + "/data"));
  fs::rename(unfinished, path, error);
  return error ? FileError(error, path) : absl::OkStatus();
}

absl::Status Copy(const std::string& from, const std::string& to,
                  const std::string& user) {
  std::error_code error;
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error) return FileError(error, from);
  RETURN_IF_ERROR(GiveTo(user, to));
  for (const auto& entry : fs::recursive_directory_iterator(to)) {
    RETURN_IF_ERROR(GiveTo(user, entry.path()));
  }
  return absl::OkStatus();
}

}  // namespace

ClusterTemplates& ClusterTemplates::OfProcess() {
  static auto& templates = *new ClusterTemplates([] {
    const char* folder = std::getenv("WALFERRY_TEST_TEMPLATES");
    return std::string(folder == nullptr ? "" : folder);
  }());
  return templates;
}

absl::Status ClusterTemplates::Make(const std::string& key,
                                    const std::string& user,
                                    const std::string& data_directory,
                                    const MakeDirectory& make) {
  if (folder_.empty()) return make(data_directory);
  const int number = Number(key);
  if (number >= kTemplates) return make(data_directory);
  const std::string path = absl::StrCat(
      folder_, "/", absl::Hex(std::hash<std::string>()(key)), "-", number);
  RETURN_IF_ERROR(MakeTemplate(path, user, make));
  return Copy(path + "/data", data_directory, user);
}

int ClusterTemplates::Number(const std::string& key) {
  absl::MutexLock lock(&mutex_);
  return used_[key]++;
}

}  // namespace walferry
