// schema, copy, indexes: from an empty target to one that can follow.

#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/check/check.h"
#include "engine/connect/name_encoding.h"
#include "engine/copy/copy_pool.h"
#include "engine/migration/migration_run.h"
#include "engine/schema/analyze.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::string_view kAnalyzeStep = "analyze";
constexpr absl::string_view kAnalyzeDelayedStep = "analyze delayed";
constexpr absl::Duration kWorkerLockWait = absl::Seconds(3);

}  // namespace

SchemaDumpOptions MigrationRun::DumpOptions() const {
  return {.tools = *tools_,
          .source = options_.endpoints.source,
          .no_owner = options_.no_owner,
          .no_acl = options_.no_acl,
          // As the finding is called in check_target_content.cc.
          .no_tablespaces = Accepts(options_.accept, "tablespace", "target"),
          .connect_timeout = options_.endpoints.connect_timeout,
          .interrupt = &control_.interrupt()};
}

absl::Status MigrationRun::Dump() {
  ASSIGN_OR_RETURN(dump_, DumpSchema(DumpOptions(), catalog_, *source_));
  TellOfDump();
  return absl::OkStatus();
}

void MigrationRun::TellOfDump() {
  for (const std::string& warning : dump_->warnings) {
    Notify(Notice::Level::kWarning, warning);
  }
  for (const std::string& sentence : dump_->left_out) {
    Notify(Notice::Level::kWarning, sentence);
    report_.remarks.push_back(sentence);
  }
}

absl::Status MigrationRun::OpenRestore() {
  if (restore_) return absl::OkStatus();
  if (!dump_) RETURN_IF_ERROR(Dump());
  restore_.emplace(
      SchemaRestoreOptions{.target = connector_.TargetOptions("schema"),
                           .ledger = ledger_->sql().key(),
                           .jobs = options_.index_jobs,
                           .progress_interval = options_.stream.poll_interval},
      *std::move(dump_), catalog_);
  dump_.reset();
  restore_->on_warning = [this](absl::string_view text) {
    Notify(Notice::Level::kWarning, std::string(text));
  };
  restore_->on_progress = TellOfSteps();
  return PlanSteps(restore_->total_steps());
}

std::function<void(const SchemaProgress&)> MigrationRun::TellOfSteps() {
  return [this, signs = Signs()](const SchemaProgress& progress) mutable {
    signs.OnEvent(Progress{.phase = phase_,
                           .items_done = progress.done,
                           .items_total = progress.total,
                           .elapsed = absl::Now() - phase_started_,
                           .active = progress.active});
  };
}

absl::Status MigrationRun::PlanSteps(int64_t of_schema) {
  // That the target is usable is one, too.
  return ledger_->SetPlannedSteps(of_schema + (analyzes() ? 1 : 0) +
                                  (CarriesLargeObjects(options_) ? 1 : 0) +
                                  (delays() ? 1 + (analyzes() ? 1 : 0) : 0));
}

// An earlier run has come to follow: nothing is missing but what waits for the
// cutover, and that is looked for then.
bool MigrationRun::Followed() const {
  return known_->phase == PhaseName(Phase::kFollow) ||
         known_->phase == PhaseName(Phase::kCutover);
}

absl::Status MigrationRun::LoadSchema() {
  if (Followed()) return absl::OkStatus();
  if (!carries_schema()) return PlanSteps(0);
  if (usable_) return OpenRestore();
  RETURN_IF_ERROR(Enter(Phase::kSchema, known_->consistent_point.valid()));
  RETURN_IF_ERROR(OpenRestore());
  return restore_->RestorePreData();
}

LifeSigns MigrationRun::Signs() {
  return {events_, *ledger_, options_.stream.poll_interval};
}

absl::Status MigrationRun::CopyRows() {
  if (!carries_rows()) snapshot_.reset();
  if (snapshot_ == nullptr || usable_) return absl::OkStatus();
  RETURN_IF_ERROR(Enter(Phase::kCopy, known_->consistent_point.valid()));
  if (!carries_schema()) RETURN_IF_ERROR(RemoveAcceptedRows());
  RETURN_IF_ERROR(CopyPart(/*delayed=*/false));
  if (CarriesLargeObjects(options_)) RETURN_IF_ERROR(CopyLargeObjectsOnce());
  if (!delays()) snapshot_.reset();
  return absl::OkStatus();
}

absl::Status MigrationRun::CopyPart(bool delayed) {
  CopySessionOptions session = CopySession();
  // Whoever waits for the guard's lock must not wait long because a worker in
  // turn waits for him: a new snapshot is taken instead.
  session.lock_wait = kWorkerLockWait;
  std::vector<CatalogTable> tables;
  for (const CatalogTable& table : catalog_.tables) {
    if (table.delayed == delayed) tables.push_back(table);
  }
  LifeSigns signs = Signs();
  return CopyTables({.session = session,
                     .jobs = options_.jobs,
                     .split_bytes = options_.split_bytes,
                     .binary = options_.stream.binary,
                     .inserts = options_.inserts,
                     .found_tables = !carries_schema(),
                     .clients_write = delayed,
                     .progress_interval = options_.stream.poll_interval},
                    *snapshot_, tables, control_, signs)
      .status();
}

absl::Status MigrationRun::RestoreStages(
    const std::vector<SchemaStage>& stages) {
  if (!carries_schema()) return absl::OkStatus();
  for (const SchemaStage stage : stages) {
    RETURN_IF_ERROR(restore_->Restore(stage));
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::BuildIndexes() {
  if (Followed()) return absl::OkStatus();
  RETURN_IF_ERROR(Enter(Phase::kIndexes, known_->consistent_point.valid()));
  RETURN_IF_ERROR(
      RestoreStages({SchemaStage::kIndexes, SchemaStage::kObjects}));
  if (!defer_triggers_) {
    RETURN_IF_ERROR(BringTablesTogether());
    RETURN_IF_ERROR(
        RestoreStages({SchemaStage::kForeignKeys, SchemaStage::kTriggers,
                       SchemaStage::kEventTriggers}));
  }
  return Analyze();
}

absl::Status MigrationRun::Analyze(AnalyzePart part) {
  if (!analyzes()) return absl::OkStatus();
  const absl::string_view step =
      part == AnalyzePart::kDelayed ? kAnalyzeDelayedStep : kAnalyzeStep;
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  if (absl::c_linear_search(steps, step)) return absl::OkStatus();
  PgConnectOptions session = connector_.TargetOptions("analyze");
  session.client_encoding = NameEncoding(*source_, *target_);
  ASSIGN_OR_RETURN(const std::vector<std::string> missing,
                   AnalyzeTables(session, catalog_, options_.index_jobs,
                                 TellOfSteps(), part));
  for (const std::string& sentence : missing) {
    Notify(Notice::Level::kWarning, sentence);
    report_.remarks.push_back(sentence);
  }
  return target_->Exec(ledger_->sql().StepDone(step)).status();
}

}  // namespace walferry
