#include "tests/testing/server_binaries.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "protocol/status.h"
#include "tests/testing/child_process.h"
#include "tests/testing/wait_until.h"

namespace walferry {
namespace {

std::vector<std::string> NewestOfDistribution() {
  namespace fs = std::filesystem;
  std::error_code no_such_folder;
  int newest = 0;
  std::string bin_dir;
  for (const auto& entry :
       fs::directory_iterator("/usr/lib/postgresql", no_such_folder)) {
    int version = 0;
    const fs::path bin = entry.path() / "bin";
    if (absl::SimpleAtoi(entry.path().filename().string(), &version) &&
        version > newest && fs::exists(bin / "postgres")) {
      newest = version;
      bin_dir = bin.string();
    }
  }
  if (bin_dir.empty()) return {};
  return {bin_dir};
}

absl::StatusOr<int> AskMajorVersion(const std::string& bin_dir) {
  const ChildOptions version{.command = {bin_dir + "/postgres", "--version"},
                             .clean_environment = true};
  ASSIGN_OR_RETURN(const CommandResult result,
                   RunCommand(version, kTestPatience));
  constexpr absl::string_view kName = "postgres (PostgreSQL) ";
  int major = 0;
  if (result.exit_code != 0 || !absl::StartsWith(result.output, kName)) {
    return absl::FailedPreconditionError(
        absl::StrCat(bin_dir, "/postgres --version: ", result.output));
  }
  // "18.4", "15.18 (Debian ...)", "18beta1".
  absl::string_view digits = result.output;
  digits.remove_prefix(kName.size());
  digits = digits.substr(0, digits.find_first_not_of("0123456789"));
  if (!absl::SimpleAtoi(digits, &major)) {
    return absl::FailedPreconditionError(
        absl::StrCat(bin_dir, "/postgres --version: ", result.output));
  }
  return major;
}

}  // namespace

std::vector<std::string> TestServerBinDirs() {
  const char* chosen = std::getenv("WALFERRY_TEST_SERVERS");
  if (chosen == nullptr || *chosen == '\0') return NewestOfDistribution();
  return absl::StrSplit(chosen, ':', absl::SkipEmpty());
}

std::string TestCacheDirectory() {
  if (geteuid() == 0) return "/var/cache/walferry";
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr) {
    return absl::StrCat(cache, "/walferry");
  }
  const char* home = std::getenv("HOME");
  return absl::StrCat(home == nullptr ? "" : home, "/.cache/walferry");
}

std::vector<std::string> OldServerBinDirs() {
  std::vector<std::string> bin_dirs;
  for (const int major : {10, 11, 12, 13}) {
    const std::string bin_dir =
        absl::StrCat(TestCacheDirectory(), "/servers/", major, "/bin");
    if (std::filesystem::exists(bin_dir + "/postgres")) {
      bin_dirs.push_back(bin_dir);
    }
  }
  return bin_dirs;
}

absl::StatusOr<int> ServerMajorVersion(const std::string& bin_dir) {
  // The names of tests have it: hundreds of times in every test's process.
  static absl::Mutex mutex;
  static auto& known = *new absl::flat_hash_map<std::string, int>();
  absl::MutexLock lock(&mutex);
  if (const auto found = known.find(bin_dir); found != known.end()) {
    return found->second;
  }
  ASSIGN_OR_RETURN(const int major, AskMajorVersion(bin_dir));
  known.emplace(bin_dir, major);
  return major;
}

std::string ServerName(const std::string& bin_dir) {
  const absl::StatusOr<int> major = ServerMajorVersion(bin_dir);
  return major.ok() ? absl::StrCat("pg", *major) : "unknown";
}

}  // namespace walferry
