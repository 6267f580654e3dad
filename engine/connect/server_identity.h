#ifndef ENGINE_CONNECT_SERVER_IDENTITY_H_
#define ENGINE_CONNECT_SERVER_IDENTITY_H_

// Whether two sessions have reached one server, or even one database.

#include <string>

#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"

namespace walferry {

// What tells one running server from another.
struct ServerIdentity {
  std::string system_identifier;  // "" where the role may not read it.
  std::string started;
  std::string dbname;
  std::string address;
  std::string backend_pid;
};

// "" if the role may not know it.
absl::StatusOr<std::string> SystemIdentifierOf(PgConnection& connection);

absl::StatusOr<ServerIdentity> IdentifyServer(PgConnection& connection);

// A copy of a server's files has its system identifier, but was not started at
// the same moment.
bool SameServer(const ServerIdentity& a, const ServerIdentity& b);
bool SameDatabase(const ServerIdentity& a, const ServerIdentity& b);

}  // namespace walferry

#endif  // ENGINE_CONNECT_SERVER_IDENTITY_H_
