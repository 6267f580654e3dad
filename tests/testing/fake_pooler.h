#ifndef TESTS_TESTING_FAKE_POOLER_H_
#define TESTS_TESTING_FAKE_POOLER_H_

// A proxy on 127.0.0.1 that, like a connection pooler, announces a process id
// of its own making (BackendKeyData) and else forwards what it gets.

#include <memory>
#include <thread>

#include "absl/status/statusor.h"
#include "tests/testing/socket.h"

namespace walferry {

// Serves one connection after another, without encryption
// (sslmode=disable gssencmode=disable) and for users who need no password.
class FakePooler {
 public:
  static absl::StatusOr<std::unique_ptr<FakePooler>> Start(int server_port);
  ~FakePooler();

  int port() const { return port_; }

 private:
  FakePooler(Socket listener, int port, int server_port);
  void Serve();

  Socket listener_;
  const int port_;
  const int server_port_;
  std::thread thread_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_FAKE_POOLER_H_
