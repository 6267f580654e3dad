// An offline migration: large objects go with the rows, and what makes the
// target complete comes right behind them.

#include "absl/algorithm/container.h"
#include "engine/large_objects.h"
#include "engine/migration_run.h"
#include "protocol/status.h"

namespace walferry {

absl::Status MigrationRun::CopyLargeObjectsOnce() {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  if (absl::c_linear_search(steps, kLargeObjectsStep)) return absl::OkStatus();
  LifeSigns signs = Signs();
  return CopyLargeObjects({.session = CopySession(),
                           .jobs = options_.jobs,
                           .no_owner = options_.no_owner,
                           .no_acl = options_.no_acl,
                           .progress_interval = options_.stream.poll_interval},
                          *snapshot_, control_, signs);
}

// No change comes any more, so nothing has to be kept quiet. Event triggers
// come last: they would see all else being made.
absl::Status MigrationRun::Complete() {
  RETURN_IF_ERROR(Enter(Phase::kIndexes, known_->consistent_point.valid()));
  RETURN_IF_ERROR(RestoreStages({SchemaStage::kIndexes, SchemaStage::kObjects,
                                 SchemaStage::kForeignKeys}));
  RETURN_IF_ERROR(SetSequencesAndViews());
  RETURN_IF_ERROR(
      RestoreStages({SchemaStage::kTriggers, SchemaStage::kEventTriggers}));
  RETURN_IF_ERROR(Analyze());
  RETURN_IF_ERROR(FillReport());
  RETURN_IF_ERROR(StoreReport());
  return DropCreated();
}

}  // namespace walferry
