#include "tests/testing/free_port.h"

#include <fstream>
#include <random>

#include "absl/status/status.h"
#include "tests/testing/socket.h"

namespace walferry {
namespace {

constexpr int kLowest = 15000;

// The kernel's own range begins here; 32768 unless the machine says otherwise.
int LowestOfKernel() {
  int lowest = 32768;
  std::ifstream("/proc/sys/net/ipv4/ip_local_port_range") >> lowest;
  return lowest;
}

}  // namespace

absl::StatusOr<int> FreePort() {
  std::random_device random;
  const int end = LowestOfKernel() > 2 * kLowest ? LowestOfKernel() : 65536;
  std::uniform_int_distribution<int> any(kLowest, end - 1);
  for (int attempt = 0; attempt < 1000; ++attempt) {
    const int port = any(random);
    if (ListenOnPort(port).ok()) return port;
  }
  return absl::ResourceExhaustedError("no free port on 127.0.0.1");
}

}  // namespace walferry
