#ifndef ENGINE_SCOPE_JSON_H_
#define ENGINE_SCOPE_JSON_H_

// What a migration carries, as the ledger keeps it.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "engine/scope.h"

namespace walferry {

// One object; equal options give equal text.
std::string ScopeToJson(const ScopeOptions& scope);

// A migration goes on with what it was begun with. Only further
// exclusions are let through: they are how an operator leaves out a table that
// was created meanwhile (one that is being migrated is missed elsewhere).
// kFailedPrecondition says which filter differs, or that it was begun with the
// schema alone or the rows alone, or with both.
absl::Status CheckScopeUnchanged(absl::string_view begun_with,
                                 const ScopeOptions& now);

}  // namespace walferry

#endif  // ENGINE_SCOPE_JSON_H_
