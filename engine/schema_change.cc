#include "engine/schema_change.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "protocol/status.h"

namespace walferry {

absl::Status SchemaChanged(const std::vector<std::string>& differences) {
  return WithHint(
      absl::FailedPreconditionError(
          absl::StrCat("the schema changed on the source since the migration "
                       "began: ",
                       absl::StrJoin(differences, "; "))),
      "take the change back on the source and run the same command again; a "
      "new table can be left out with --exclude-table; otherwise run "
      "`walferry cleanup`, empty the target and begin again");
}

}  // namespace walferry
