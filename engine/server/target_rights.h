#ifndef ENGINE_SERVER_TARGET_RIGHTS_H_
#define ENGINE_SERVER_TARGET_RIGHTS_H_

// What the role that migrates may do on the target's server as a whole.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "protocol/pg_connection.h"

namespace walferry {

struct TargetRights {
  std::string role;
  bool superuser = false;
  bool create_role = false;
  bool create_db = false;
  bool replication = false;
  bool bypass_rls = false;
  // The parameters that the server has, by their names in lower case; whether
  // the role may set them for others with ALTER ROLE.
  absl::flat_hash_map<std::string, bool> parameters;

  // Only a superuser may name one that is unknown (an extension's, "a.b").
  enum class Parameter { kSettable, kDenied, kUnknown };
  Parameter Lookup(absl::string_view parameter) const;
};

absl::StatusOr<TargetRights> ReadTargetRights(PgConnection& target);

// Those of the directories that exist on the target's server. Only a superuser
// can see that; others find none.
absl::StatusOr<absl::flat_hash_set<std::string>> ExistingDirectories(
    PgConnection& target, const TargetRights& rights,
    const std::vector<std::string>& directories);

}  // namespace walferry

#endif  // ENGINE_SERVER_TARGET_RIGHTS_H_
