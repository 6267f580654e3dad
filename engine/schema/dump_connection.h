#ifndef ENGINE_SCHEMA_DUMP_CONNECTION_H_
#define ENGINE_SCHEMA_DUMP_CONNECTION_H_

// How pg_dump is told to connect: as we do, and without a secret where others
// can see it.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace walferry {

// Goes with a child that inherits none of our PG* variables: what stands in
// them is in here.
struct DumpConnection {
  std::string conninfo;  // For the command line.
  std::vector<std::pair<std::string, std::string>> environment;
  // A service file with the secrets that have no variable, for stdin: it is
  // never on a disk. "": there are none.
  std::string input;
};

// kInvalidArgument: libpq refuses the string, or a secret cannot stand in a
// service file.
absl::StatusOr<DumpConnection> ConnectionForDump(
    const std::string& source, absl::Duration connect_timeout);

}  // namespace walferry

#endif  // ENGINE_SCHEMA_DUMP_CONNECTION_H_
