#ifndef ENGINE_SERVER_GLOBALS_PLAN_H_
#define ENGINE_SERVER_GLOBALS_PLAN_H_

// From what two servers hold to the statements that bring the source's globals
// to the target, and the findings about what does not come along.
//
// Never touched: the role that migrates, the superuser that initdb made, and
// the server's own roles (pg_*). Roles and tablespaces that the target has are
// left as they are, unless told otherwise, but for a tablespace as a run that
// was killed leaves it. Nothing is ever taken away.

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/check/check_findings.h"
#include "engine/server/globals.h"
#include "engine/server/target_rights.h"

namespace walferry {

// Where a tablespace lies on the target: `from` is its name, or its location on
// the source.
struct TablespaceMapping {
  std::string from;
  std::string to;
};

struct GlobalsPlanOptions {
  // Roles and tablespaces that the target has are altered to be as on the
  // source.
  bool update_existing = false;
  bool passwords = true;
  std::vector<TablespaceMapping> tablespaces;
  // Names of those that an earlier run has begun to make: they are altered, as
  // it may have got no further.
  absl::flat_hash_set<std::string> tablespaces_begun;
};

struct GlobalStatement {
  std::string subject;  // "role app": for errors.
  std::string sql;
  // The same to be shown: instead of a verifier it says ***.
  std::string shown;
};

struct TablespacePlan {
  std::string name;
  std::string location;
  // Not in a transaction, the server refuses that; "": it exists.
  GlobalStatement create;
  std::vector<GlobalStatement> properties;  // In one transaction.
};

struct GlobalsPlan {
  // In one transaction: whoever is killed has made all of it or nothing.
  std::vector<GlobalStatement> statements;
  // After that, each by itself.
  std::vector<TablespacePlan> tablespaces;
  std::vector<Finding> findings;
  std::vector<std::string> roles;  // That are created.
  std::vector<std::string> roles_without_password;
  std::vector<std::string> skipped_tablespaces;
};

struct GlobalsPlanInputs {
  const Globals& source;
  const Globals& target;
  const TargetRights& rights;
  // Of the places of tablespaces on the target (TargetLocation).
  const absl::flat_hash_set<std::string>& existing_directories;
};

// The plan leaves out what an acceptable finding speaks of, so that it is right
// once these are accepted.
GlobalsPlan PlanGlobals(const GlobalsPlanInputs& inputs,
                        const GlobalsPlanOptions& options);

// The ids of its findings, in the order of the alphabet.
absl::Span<const absl::string_view> GlobalsFindingIds();

}  // namespace walferry

#endif  // ENGINE_SERVER_GLOBALS_PLAN_H_
