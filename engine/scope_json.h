#ifndef ENGINE_SCOPE_JSON_H_
#define ENGINE_SCOPE_JSON_H_

// What a migration carries, as the ledger keeps it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/scope.h"

namespace walferry {

struct Filter {
  std::string option;  // "exclude-table"
  std::vector<std::string> patterns;
  // Patterns may be added when a migration goes on.
  bool may_grow = false;
  // What to do instead of changing it; "": to begin again.
  std::string way_on = "";
};

// One object; equal filters give equal text.
std::string FiltersToJson(const std::vector<Filter>& filters);
// kFailedPrecondition says which filter differs.
absl::Status CheckFiltersUnchanged(absl::string_view begun_with,
                                   const std::vector<Filter>& now);

// The same for a database's.
std::string ScopeToJson(const ScopeOptions& scope);

// The reverse. kDataLoss: it is malformed.
absl::StatusOr<ScopeOptions> ScopeFromJson(absl::string_view text);
// "--schema a --exclude-table b", or "": everything.
std::string ScopeText(const ScopeOptions& scope);

// A migration goes on with what it was begun with. Only further
// exclusions are let through: they are how an operator leaves out a table that
// was created meanwhile (one that is being migrated is missed elsewhere).
// kFailedPrecondition says which filter differs, or that it was begun with the
// schema alone or the rows alone, or with both.
absl::Status CheckScopeUnchanged(absl::string_view begun_with,
                                 const ScopeOptions& now);

}  // namespace walferry

#endif  // ENGINE_SCOPE_JSON_H_
