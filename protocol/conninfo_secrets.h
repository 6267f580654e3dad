#ifndef PROTOCOL_CONNINFO_SECRETS_H_
#define PROTOCOL_CONNINFO_SECRETS_H_

// What ParseConnInfo (protocol/pg_connection.h) leaves out.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace walferry {

// The secrets of a connection string but its password, as keywords and values.
// libpq knows no environment variable for any of them.
absl::StatusOr<std::vector<std::pair<std::string, std::string>>> OtherSecrets(
    const std::string& conninfo);

}  // namespace walferry

#endif  // PROTOCOL_CONNINFO_SECRETS_H_
