// An offline migration: large objects go with the rows, and what makes the
// target complete comes right behind them.

#include <string>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/check/check.h"
#include "engine/copy/large_objects.h"
#include "engine/migration/migration_run.h"
#include "engine/target/fast_target.h"
#include "protocol/status.h"

namespace walferry {

// Of tables that stand on the target before rows alone are carried. One in
// which this migration has put rows already keeps them.
absl::Status MigrationRun::RemoveAcceptedRows() {
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> begun, ledger_->Tables());
  std::vector<std::string> truncated;
  std::string removals;
  for (const LedgerTable& row : begun) {
    const CatalogTable* const table = catalog_.Find(row.table);
    if (table == nullptr || row.copied ||
        !Accepts(options_.accept, "target-rows", ToDisplay(row.table))) {
      continue;
    }
    ASSIGN_OR_RETURN(const std::vector<LedgerRange> done,
                     ledger_->RangesDone(row.table));
    if (!done.empty()) continue;
    // Where nothing is, what refers to it need not stand in the way.
    ASSIGN_OR_RETURN(const std::string filled,
                     target_->QueryValue(absl::StrCat(
                         "SELECT EXISTS (SELECT FROM ONLY ", Quote(row.table),
                         " ", table->config_condition, ")")));
    if (filled == "f") continue;
    if (table->config_condition.empty()) {
      truncated.push_back(Quote(row.table));
    } else {
      // The others are the extension's.
      absl::StrAppend(&removals, "DELETE FROM ONLY ", Quote(row.table), " ",
                      table->config_condition, "; ");
    }
  }
  if (!truncated.empty()) {
    // In one statement: they may refer to each other.
    absl::StrAppend(&removals, "TRUNCATE ONLY ", absl::StrJoin(truncated, ", "),
                    "; ");
  }
  if (removals.empty()) return absl::OkStatus();
  const absl::Status removed =
      target_
          ->Exec(absl::StrCat(
              "BEGIN; SET LOCAL lock_timeout = '30s';",
              may_guard_ ? "SET LOCAL session_replication_role = replica;" : "",
              removals, "COMMIT"))
          .status();
  if (removed.ok()) return removed;
  if (target_->in_transaction()) {
    RETURN_IF_ERROR(target_->Exec("ROLLBACK").status());
  }
  return WithHint(Annotate(removed, "target: removing the rows that are there"),
                  "remove them yourself, and go on with the same command");
}

// An earlier run may have left the target as only a run may.
absl::Status MigrationRun::SettleFastTarget() {
  ASSIGN_OR_RETURN(const std::vector<LedgerObject> objects, ledger_->Objects());
  fast_noted_ = HasFastTargetNotes(objects);
  if (options_.fast_target && usable_) {
    Notify(Notice::Level::kInfo, kNotFastText);
  }
  if (!options_.fast_target || usable_) {
    if (!fast_noted_) return absl::OkStatus();
    RETURN_IF_ERROR(EndFastTarget(connector_).status());
    fast_noted_ = false;
    Notify(Notice::Level::kInfo,
           "the target's settings are what they were before an earlier run");
    return absl::OkStatus();
  }
  fast_noted_ = true;  // Also if it fails half-way.
  ASSIGN_OR_RETURN(const std::vector<std::string> changed,
                   BeginFastTarget(*target_, ledger_->sql().key(), {}));
  if (changed.empty()) return absl::OkStatus();
  Notify(Notice::Level::kWarning, kFastTargetWarning);
  Notify(Notice::Level::kInfo, absl::StrCat("settings of the target: ",
                                            absl::StrJoin(changed, ", ")));
  return absl::OkStatus();
}

// Clients must not write to a target that can lose all of it.
absl::Status MigrationRun::EndFastTargetForClients() {
  if (!fast_noted_) return absl::OkStatus();
  RETURN_IF_ERROR(EndFastTarget(connector_).status());
  fast_noted_ = false;
  Notify(Notice::Level::kInfo,
         "the target's settings are what they were, before clients come");
  return absl::OkStatus();
}

// Also those that an earlier run has left, if this one came to nothing before
// it has read of them.
void MigrationRun::PutBackSettings() {
  if (!fast_noted_ && (!offline() || source_alone_ || target_alone_)) return;
  const absl::Status put_back =
      (fast_noted_ ? EndFastTarget(connector_) : EndLeftFastTarget(connector_))
          .status();
  if (put_back.ok()) return;
  Notify(Notice::Level::kWarning,
         absl::StrCat(put_back.message(), "; ", HintOf(put_back)));
}

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

// Event triggers come last: they would see all else being made.
absl::Status MigrationRun::Complete() {
  if (usable_) {
    CountWhatWasSet();
  } else {
    RETURN_IF_ERROR(BuildAllButDelayed());
  }
  if (delays()) RETURN_IF_ERROR(LoadDelayedTables());
  RETURN_IF_ERROR(RestoreStages({SchemaStage::kEventTriggers}));
  RETURN_IF_ERROR(FillReport());
  RETURN_IF_ERROR(StoreReport());
  return DropCreated();
}

}  // namespace walferry
