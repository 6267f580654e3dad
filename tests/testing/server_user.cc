#include "tests/testing/server_user.h"

#include <pwd.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"

namespace walferry {

std::string ServerUser() { return geteuid() == 0 ? "postgres" : ""; }

absl::Status GiveTo(const std::string& user, const std::string& path) {
  if (user.empty()) return absl::OkStatus();
  const passwd* entry = getpwnam(user.c_str());
  if (entry == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("servers do not run as root, and there is no user ", user,
                     " to run them"));
  }
  if (chown(path.c_str(), entry->pw_uid, entry->pw_gid) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("chown ", path));
  }
  return absl::OkStatus();
}

}  // namespace walferry
