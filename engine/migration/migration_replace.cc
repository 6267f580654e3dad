// An empty database in the place of the target's, where that was asked for:
// before anything else of a migration, and never of one that has begun.

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/connect/server_identity.h"
#include "engine/ledger/ledger_content.h"
#include "engine/migration/migration_run.h"
#include "engine/target/drop_permit.h"
#include "engine/target/recreate_database.h"
#include "protocol/status.h"

namespace walferry {

// The checks come before: they look at the target as if its database were
// empty, and what blocks leaves it as it is.
absl::Status MigrationRun::ReplaceTarget() {
  RETURN_IF_ERROR(CheckMayReplace());
  RETURN_IF_ERROR(RunChecks());
  const std::string dbname = target_->dbname();
  CloseTarget();
  RETURN_IF_ERROR(RecreateDatabase(connector_, *tools_, OthersInside::kRefuse));
  replaced_ = true;
  Notify(
      Notice::Level::kInfo,
      absl::StrCat("database ", dbname, " was dropped and made again, empty"));
  return Connect();
}

absl::Status MigrationRun::CheckMayReplace() {
  ASSIGN_OR_RETURN(const ServerIdentity source, IdentifyServer(*source_));
  ASSIGN_OR_RETURN(const ServerIdentity target, IdentifyServer(*target_));
  if (SameDatabase(source, target)) {
    return WithHint(
        absl::FailedPreconditionError(absl::StrCat(
            "target: this is the source's own database, ", target.dbname,
            " on ", target.address, ": it is not dropped")),
        "see that --target names another database");
  }
  // A standby's rows are those of its primary, which may be the target.
  RETURN_IF_ERROR(RefuseToDropOrigin(
      *target_, {.system_identifier = source.system_identifier,
                 .dbname = source.dbname}));
  RETURN_IF_ERROR(
      CheckNothingToUndo(*target_, options_.endpoints.ledger_schema));
  return CheckRecreatable(*target_);
}

// Nobody may be in a database that is renamed or dropped.
void MigrationRun::CloseTarget() {
  ledger_.reset();
  target_.reset();
}

}  // namespace walferry
