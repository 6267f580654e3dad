#ifndef TESTS_TESTING_SCRIPTED_SERVER_H_
#define TESTS_TESTING_SCRIPTED_SERVER_H_

// A PostgreSQL server that does what a script says: also what no real server
// can be made to do at will.
//
//   ASSERT_OK_AND_ASSIGN(auto server, ScriptedServer::Start({
//       Script().ExpectQuery("SELECT 1").Close()}));
//   Run(server->ConnInfo());
//   EXPECT_OK(server->Finish());

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tests/testing/script.h"

namespace walferry {

enum class Transport { kUnixSocket, kTcp };

// Plays the first script on the first connection, the second one on the
// second, also at the same time; further connections are faults of the test.
// Every wait ends after some time. Declines TLS and GSSAPI encryption, and
// counts cancel requests, which need no script.
//
// Thread-safe: each connection has a thread of its own.
class ScriptedServer {
 public:
  static absl::StatusOr<std::unique_ptr<ScriptedServer>> Start(
      std::vector<Script> scripts,
      Transport transport = Transport::kUnixSocket);

  // Closes all connections.
  ~ScriptedServer();

  // For user postgres.
  std::string ConnInfo(absl::string_view dbname = "app") const;

  // Waits until every script has been played and its client has left. Then OK,
  // or what first went otherwise than written: "connection 1, step 2: ...".
  absl::Status Finish();

  // What the client has sent so far on a connection (from 0), after the
  // startup.
  std::vector<ClientMessage> received(size_t connection = 0) const;
  // The bodies of its CopyData messages.
  std::vector<std::string> received_copy_data(size_t connection = 0) const;
  // The parameters of its StartupMessage.
  std::map<std::string, std::string> startup(size_t connection = 0) const;

  int cancel_requests() const;

 private:
  class Stage;
  explicit ScriptedServer(std::unique_ptr<Stage> stage);

  std::unique_ptr<Stage> stage_;
};

}  // namespace walferry

#endif  // TESTS_TESTING_SCRIPTED_SERVER_H_
