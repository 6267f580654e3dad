#ifndef ENGINE_SERVER_TARGET_DATABASES_H_
#define ENGINE_SERVER_TARGET_DATABASES_H_

// What the target's server offers to new databases: found out by asking it for
// what the source's databases need.

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/server/server_databases.h"
#include "engine/server/target_rights.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct TargetDatabases {
  int server_version = 0;  // 150004.
  bool has_icu = false;
  TargetRights rights;
  absl::flat_hash_set<std::string> databases;
  absl::flat_hash_set<std::string> tablespaces;
  absl::flat_hash_set<std::string> roles;
  // Whom the role that migrates may make the owner of a database.
  absl::flat_hash_set<std::string> possible_owners;
  // Of those that the databases need, those that the machine has.
  absl::flat_hash_set<std::string> locales;
  absl::flat_hash_set<std::string> encodings;
};

absl::StatusOr<TargetDatabases> ReadTargetDatabases(
    PgConnection& target, absl::Span<const ServerDatabase> wanted);

}  // namespace walferry

#endif  // ENGINE_SERVER_TARGET_DATABASES_H_
