#ifndef TESTS_TESTING_CLIENT_LINK_H_
#define TESTS_TESTING_CLIENT_LINK_H_

// A server's end of a connection: reads what a PostgreSQL client sends.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/testing/script.h"
#include "tests/testing/socket.h"

namespace walferry {

// What a client opens a connection with.
struct ClientStartup {
  bool is_cancel_request = false;
  std::map<std::string, std::string> parameters;
};

// Blocking; every read and write gives up after kTestPatience.
class ClientLink {
 public:
  explicit ClientLink(Socket socket);

  // Declines encryption until the client does without.
  absl::StatusOr<ClientStartup> ReadStartup();

  // nullopt: the client has closed its side.
  absl::StatusOr<std::optional<ClientMessage>> Read();

  absl::Status Send(absl::string_view bytes);

  // Wakes a thread that waits in one of the above; from any thread.
  void ShutDown() const { socket_.ShutDown(); }

 private:
  // nullopt: the client closed its side before the first byte.
  absl::StatusOr<std::optional<std::string>> ReadBytes(size_t size);
  absl::StatusOr<std::string> ReadStartupPacket();

  Socket socket_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_CLIENT_LINK_H_
