#ifndef ENGINE_ARCHIVE_TARGET_DATABASE_H_
#define ENGINE_ARCHIVE_TARGET_DATABASE_H_

// The database that an archive is restored into, for sessions of our own and
// for the programs that we start.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/connect/connect.h"
#include "engine/schema/dump_connection.h"
#include "engine/schema/pg_tools.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct TargetDatabase {
  Connector connector;  // endpoints.target says which server.
  std::string dbname;   // "": the one of the connection string.

  PgConnectOptions Options(absl::string_view role) const;
  absl::StatusOr<PgConnection> Open(absl::string_view role) const;
  absl::StatusOr<DumpConnection> ForChild() const;
  // Another database of the same server.
  TargetDatabase Named(std::string other) const;
};

// kFailedPrecondition: it holds something that no extension brought (what).
absl::Status CheckEmpty(PgConnection& target);

// Which of the extensions its server cannot create.
absl::StatusOr<std::vector<std::string>> MissingExtensions(
    PgConnection& target, const std::vector<std::string>& names);
// kFailedPrecondition if there are any.
absl::Status RefuseMissingExtensions(const std::vector<std::string>& missing);

// "15.18" of a session's server.
std::string ServerVersionOf(const PgConnection& connection);

}  // namespace walferry

#endif  // ENGINE_ARCHIVE_TARGET_DATABASE_H_
