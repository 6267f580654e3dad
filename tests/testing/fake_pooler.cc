#include "tests/testing/fake_pooler.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// BackendKeyData: type, length 12, process id, secret.
constexpr absl::string_view kKeyData("K\0\0\0\x0c", 5);

// Hands on what `from` has; false at its end. `rewrite`: the first key data in
// it gets another process id.
bool Forward(const Socket& from, const Socket& to, bool& rewrite) {
  std::string bytes(1 << 16, '\0');
  const ssize_t got = read(from.fd(), bytes.data(), bytes.size());
  if (got <= 0) return false;
  bytes.resize(static_cast<size_t>(got));
  const size_t at = rewrite ? bytes.find(kKeyData.data(), 0, kKeyData.size())
                            : std::string::npos;
  if (at != std::string::npos) {
    char& lowest = bytes[at + kKeyData.size() + 3];
    lowest = static_cast<char>(lowest ^ 1);
    rewrite = false;
  }
  return send(to.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == got;
}

void ForwardAll(const Socket& client, const Socket& server,
                const Socket& listener) {
  bool rewrite_server = true;
  bool rewrite_client = false;
  while (true) {
    pollfd fds[] = {{client.fd(), POLLIN, 0},
                    {server.fd(), POLLIN, 0},
                    {listener.fd(), POLLHUP, 0}};
    if (poll(fds, 3, -1) < 0 || fds[2].revents != 0) return;
    if (fds[0].revents != 0 && !Forward(client, server, rewrite_client)) return;
    if (fds[1].revents != 0 && !Forward(server, client, rewrite_server)) return;
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<FakePooler>> FakePooler::Start(int server_port) {
  ASSIGN_OR_RETURN(Socket listener, ListenOnPort(0));
  ASSIGN_OR_RETURN(const int port, PortOf(listener));
  return std::unique_ptr<FakePooler>(
      new FakePooler(std::move(listener), port, server_port));
}

FakePooler::FakePooler(Socket listener, int port, int server_port)
    : listener_(std::move(listener)),
      port_(port),
      server_port_(server_port),
      thread_([this] { Serve(); }) {}

FakePooler::~FakePooler() {
  listener_.ShutDown();
  thread_.join();
}

void FakePooler::Serve() {
  while (true) {
    const Socket client(
        accept4(listener_.fd(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!client.valid()) return;
    const absl::StatusOr<Socket> server = ConnectToPort(server_port_);
    if (server.ok()) ForwardAll(client, *server, listener_);
  }
}

}  // namespace walferry
