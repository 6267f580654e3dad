// An empty database in the place of the target's, where that was asked for:
// before anything else of a migration, and never of one that has begun.

#include <string>

#include "absl/strings/str_cat.h"
#include "engine/migration_run.h"
#include "engine/recreate_database.h"
#include "engine/server_identity.h"
#include "protocol/status.h"

namespace walferry {

// The old database goes only once the checks have found that the migration can
// go into the new one: until then it is called otherwise, and comes back.
absl::Status MigrationRun::ReplaceTarget() {
  RETURN_IF_ERROR(CheckMayReplace());
  const std::string dbname = target_->dbname();
  CloseTarget();
  ASSIGN_OR_RETURN(
      const RecreatedDatabase fresh,
      RecreatedDatabase::Make(connector_, *tools_, OthersInside::kRefuse));
  const absl::Status checked = [this]() -> absl::Status {
    RETURN_IF_ERROR(Connect());
    return RunChecks();
  }();
  CloseTarget();
  if (!checked.ok()) {
    const absl::Status back = fresh.PutBack();
    if (back.ok()) return checked;
    return Annotate(checked,
                    absl::StrCat("database ", dbname, " is now called ",
                                 AsideName(dbname), " (", back.message(), ")"));
  }
  RETURN_IF_ERROR(fresh.DropOld());
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
  return CheckNothingToUndo(*target_, options_.endpoints.ledger_schema);
}

// Nobody may be in a database that is renamed or dropped.
void MigrationRun::CloseTarget() {
  ledger_.reset();
  target_.reset();
}

}  // namespace walferry
