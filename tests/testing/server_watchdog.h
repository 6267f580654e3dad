#ifndef TESTS_TESTING_SERVER_WATCHDOG_H_
#define TESTS_TESTING_SERVER_WATCHDOG_H_

// Sees to it that no test leaves a server or its files behind, however the
// test ends: also by SIGKILL, and also when its whole process tree is killed.

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace walferry {

// A small process outside of our process tree. When this object is destroyed,
// or our process is gone, it ends every process whose working directory is
// `directory` or its subdirectory "data" (all of a server's are) and removes
// `directory`.
class ServerWatchdog {
 public:
  // Runs as `user`, who owns `directory`; empty: as ourselves.
  static absl::StatusOr<ServerWatchdog> Start(const std::string& directory,
                                              const std::string& user);

  ServerWatchdog(ServerWatchdog&& other) noexcept
      : link_(std::exchange(other.link_, -1)) {}
  ServerWatchdog& operator=(ServerWatchdog&&) = delete;

  // Returns when everything is gone.
  ~ServerWatchdog();

 private:
  explicit ServerWatchdog(int link) : link_(link) {}

  int link_;  // Our end of the watchdog's standard input.
};

}  // namespace walferry

#endif  // TESTS_TESTING_SERVER_WATCHDOG_H_
