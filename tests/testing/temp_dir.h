#ifndef TESTS_TESTING_TEMP_DIR_H_
#define TESTS_TESTING_TEMP_DIR_H_

// A directory of a test's own, removed with everything in it when destroyed.

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace walferry {

class TempDir {
 public:
  // Under TMPDIR, or /tmp: short enough for a Unix socket's path.
  static absl::StatusOr<TempDir> Create();

  TempDir(TempDir&& other) noexcept
      : path_(std::exchange(other.path_, std::string())) {}
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  const std::string& path() const { return path_; }

 private:
  explicit TempDir(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_TEMP_DIR_H_
