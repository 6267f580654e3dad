#include "tests/testing/socket.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace walferry {
namespace {

constexpr int kBacklog = 64;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

// sockaddr is the C way to say "any address": the cast is the interface.
template <typename Address>
absl::StatusOr<Socket> Listen(const Address& address, int family,
                              const std::string& where) {
  Socket listener(socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  setsockopt(listener.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (!listener.valid() ||
      bind(listener.fd(), reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0 ||
      listen(listener.fd(), kBacklog) != 0) {
    return absl::ErrnoToStatus(errno, absl::StrCat("listen on ", where));
  }
  return listener;
}

}  // namespace

Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

void Socket::ShutDown() const { shutdown(fd_, SHUT_RDWR); }

absl::StatusOr<Socket> ListenOnPort(int port) {
  return Listen(Loopback(port), AF_INET, absl::StrCat("127.0.0.1:", port));
}

absl::StatusOr<Socket> ListenOnPath(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) {
    return absl::InvalidArgumentError(
        absl::StrCat("too long for a Unix socket: ", path));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return Listen(address, AF_UNIX, path);
}

absl::StatusOr<int> PortOf(const Socket& listener) {
  sockaddr_in address{};
  socklen_t size = sizeof(address);
  if (getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address),
                  &size) != 0) {
    return absl::ErrnoToStatus(errno, "getsockname");
  }
  return ntohs(address.sin_port);
}

absl::StatusOr<Socket> ConnectToPort(int port) {
  Socket connected(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (!connected.valid() ||
      connect(connected.fd(), reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) != 0) {
    return absl::ErrnoToStatus(errno,
                               absl::StrCat("connect to 127.0.0.1:", port));
  }
  return connected;
}

}  // namespace walferry
