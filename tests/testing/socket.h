#ifndef TESTS_TESTING_SOCKET_H_
#define TESTS_TESTING_SOCKET_H_

// Stream sockets for the peers that tests pretend to be.

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace walferry {

// A file descriptor that is closed when destroyed. Movable.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket();

  int fd() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

  // The peer reads to the end of what was sent, and then its end.
  void ShutDown() const;

 private:
  int fd_ = -1;
};

// On a port of 127.0.0.1; 0: one that the kernel chooses.
absl::StatusOr<Socket> ListenOnPort(int port);
absl::StatusOr<Socket> ListenOnPath(const std::string& path);
absl::StatusOr<int> PortOf(const Socket& listener);

absl::StatusOr<Socket> ConnectToPort(int port);

}  // namespace walferry

#endif  // TESTS_TESTING_SOCKET_H_
