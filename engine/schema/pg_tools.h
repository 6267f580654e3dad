#ifndef ENGINE_SCHEMA_PG_TOOLS_H_
#define ENGINE_SCHEMA_PG_TOOLS_H_

// Finds a pg_dump and its pg_restore that are new enough for both servers.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

struct PgTools {
  std::string pg_dump;  // Paths; both from the same directory.
  std::string pg_restore;
  int major = 0;        // 15.
  std::string version;  // "15.18".
};

struct PgToolsOptions {
  // The operator's choice of pg_dump; pg_restore stands beside it. "": search.
  std::string pg_dump;
  // server_version() of both sides. pg_dump refuses servers newer than itself,
  // and only a client as new as the target writes what the target reads.
  int source_version = 0;
  int target_version = 0;
  const Interrupt* interrupt = nullptr;
};

// Looks at options.pg_dump, or through `directories`, and takes the client
// whose major version is the nearest at or above the newer server's; among
// equals the earlier directory's. Debian's pg_wrapper is passed over: it
// decides anew on every call which version it runs. kFailedPrecondition: none
// is new enough (what was found; the hint names the package to install).
absl::StatusOr<PgTools> FindPgTools(
    const PgToolsOptions& options, const std::vector<std::string>& directories);

// Where clients are: $PATH's directories, then the versioned folders of
// Debian's and of PostgreSQL's own packages, newest first.
std::vector<std::string> PgToolDirectories();

}  // namespace walferry

#endif  // ENGINE_SCHEMA_PG_TOOLS_H_
