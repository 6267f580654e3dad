#include "engine/catalog/schema_change.h"

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

absl::Status ShapeChanged(const QualifiedName& table,
                          absl::string_view difference) {
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "the schema changed on the source since the migration began: table ",
          ToDisplay(table), ": ", difference)),
      "the stream has rows of both shapes, also if the change is taken back: "
      "run `walferry cleanup`, empty the target and begin again");
}

absl::Status WrittenTooLate(const QualifiedName& table) {
  return WithHint(
      absl::FailedPreconditionError(absl::StrCat(
          "table ", ToDisplay(table),
          " was written on the source after a cutover had begun to create "
          "triggers and foreign keys on the target, and nothing keeps these "
          "from acting on the changes")),
      "connect to the target as a role that may SET session_replication_role "
      "and run the same command again; otherwise run `walferry cleanup`, empty "
      "the target and begin again");
}

}  // namespace walferry
