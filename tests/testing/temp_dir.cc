#include "tests/testing/temp_dir.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace walferry {

absl::StatusOr<TempDir> TempDir::Create() {
  const char* root = std::getenv("TMPDIR");
  std::string path = absl::StrCat(
      root == nullptr || *root == '\0' ? "/tmp" : root, "/walferry-XXXXXX");
  if (mkdtemp(path.data()) == nullptr) {
    return absl::ErrnoToStatus(errno, absl::StrCat("mkdtemp ", path));
  }
  return TempDir(std::move(path));
}

TempDir::~TempDir() {
  if (path_.empty()) return;
  std::error_code ignored;  // A leftover in /tmp is no test failure.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace walferry
