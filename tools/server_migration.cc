#include "tools/server_migration.h"

#include <optional>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

absl::Status NoServerMigration(const StatusOptions& asked) {
  return WithHint(
      absl::NotFoundError(absl::StrCat("target: there is no move of all "
                                       "databases ",
                                       asked.name, " in ledger schema ",
                                       asked.ledger_schema)),
      "check --name and --ledger-schema; --target names the same database as "
      "for the command that moves them");
}

absl::Status RequireServerMigration(const CommandContext& context,
                                    const StatusOptions& asked,
                                    Control& control) {
  if (!context.values.Flag(OptionId::kAllDatabases)) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::optional<ServerStatus> found,
                   context.engine.status_server(asked, control));
  return found ? absl::OkStatus() : NoServerMigration(asked);
}

}  // namespace walferry
