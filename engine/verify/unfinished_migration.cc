#include "engine/verify/unfinished_migration.h"

#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/connect/connect.h"
#include "engine/ledger/ledger_content.h"
#include "engine/name_some.h"

namespace walferry {

std::string MigrationThatGoesOn(const Endpoints& endpoints,
                                const Interrupt& interrupt) {
  const Connector connector{.endpoints = endpoints, .interrupt = &interrupt};
  absl::StatusOr<PgConnection> target = connector.OpenTarget("verify");
  if (!target.ok()) return "";
  const absl::StatusOr<std::vector<std::string>> names =
      MigrationsThatFollow(*target, endpoints.ledger_schema);
  if (!names.ok() || names->empty()) return "";
  return absl::StrCat(
      "migration ", NameSome(*names),
      " has not come to its end: what it has still to bring counts as a "
      "difference; while it follows, --online --name ",
      names->front(), " compares both sides at one position");
}

}  // namespace walferry
