#include "tests/testing/free_port.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <fstream>
#include <random>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"

namespace walferry {
namespace {

constexpr int kLowest = 15000;

// The kernel's own range begins here; 32768 unless the machine says otherwise.
int LowestOfKernel() {
  int lowest = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> lowest;
  return lowest;
}

bool CanBind(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const absl::Cleanup close_fd = [fd] { close(fd); };
  const int on = 1;  // As PostgreSQL does: connections that linger are no use.
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return bind(fd, reinterpret_cast<const sockaddr*>(&address),
              sizeof(address)) == 0;
}

}  // namespace

absl::StatusOr<int> FreePort() {
  std::random_device random;
  const int end = LowestOfKernel() > 2 * kLowest ? LowestOfKernel() : 65536;
  std::uniform_int_distribution<int> any(kLowest, end - 1);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int port = any(random);
    if (CanBind(port)) return port;
  }
  return absl::ResourceExhaustedError("no free port on 127.0.0.1");
}

}  // namespace walferry
