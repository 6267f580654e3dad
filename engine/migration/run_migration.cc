// RunMigration and those like it: attempts of a migration until it is
// done or beyond help.

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "apply/text_needed.h"
#include "engine/catalog/delayed_tables.h"
#include "engine/connect/retry_policy.h"
#include "engine/migration/migration.h"
#include "engine/migration/migration_run.h"
#include "engine/migration_name.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of a slot or a publication; an offline migration has neither.
std::string NameOf(const std::string& chosen, const MigrateOptions& options) {
  if (options.mode == MigrateMode::kOffline) return "";
  return chosen.empty() ? DefaultObjectName(options.endpoints.name) : chosen;
}

// A migration that failed before it copied anything leaves nothing behind.
void UndoBeginning(const MigrateOptions& options, EventSink& events) {
  Control control;
  const auto undone =
      RunCleanup({.endpoints = options.endpoints, .force = true}, control);
  if (!undone.ok()) {
    events.OnEvent(
        Notice{.level = Notice::Level::kWarning,
               .text = absl::StrCat(
                   "could not undo what was begun: ", undone.status().message(),
                   "; run `walferry cleanup`")});
  }
}

absl::StatusOr<Report> Migrate(
    const MigrateOptions& options, JointCutover* joint,
    const std::function<absl::Status()>& before_usable, Control& control,
    EventSink& events) {
  RETURN_IF_ERROR(CheckMigrationName(options.endpoints.name));
  if (options.mode == MigrateMode::kOnline &&
      options.scope.part != ScopePart::kAll) {
    return absl::InvalidArgumentError(
        "only an offline migration carries the schema alone or rows alone");
  }
  if (options.drop_target_first && !options.scope.carries_schema()) {
    return absl::InvalidArgumentError(
        "a database that was dropped has no tables for rows alone");
  }
  RETURN_IF_ERROR(CheckMayDelay(options));
  ASSIGN_OR_RETURN(Scope scope, Scope::Create(options.scope));
  MigrationRun run(options, std::move(scope), joint, before_usable, control,
                   events);
  RetryPolicy retry(options.stream.retry_for, control.interrupt(), events);
  while (true) {
    const absl::Status status = run.Attempt();
    if (status.ok()) break;
    if (run.progressed()) retry.NoteProgress();
    if (run.TurnToText(status)) continue;
    const absl::Status wait = retry.WaitAfter(status);
    if (wait.ok()) continue;
    if (run.only_begun() && !IsResumable(wait)) {
      UndoBeginning(options, events);
    } else {
      run.PutBackSettings();
    }
    const absl::Status failed =
        ReplaceHint(wait, NameCommands(HintOf(wait), options.endpoints.name));
    events.OnEvent(Failed{.phase = run.phase(), .status = failed});
    return failed;
  }
  events.OnEvent(Done{run.report()});
  return run.report();
}

}  // namespace

absl::StatusOr<Report> RunMigration(const MigrateOptions& options,
                                    Control& control, EventSink& events) {
  return Migrate(options, /*joint=*/nullptr, nullptr, control, events);
}

absl::StatusOr<Report> RunDelayingMigration(
    const MigrateOptions& options,
    const std::function<absl::Status()>& before_usable, Control& control,
    EventSink& events) {
  return Migrate(options, /*joint=*/nullptr, before_usable, control, events);
}

absl::StatusOr<Report> RunMigrationWithOthers(const MigrateOptions& options,
                                              JointCutover& joint,
                                              Control& control,
                                              EventSink& events) {
  return Migrate(options, &joint, nullptr, control, events);
}

// ---- What all phases share ----

MigrationRun::MigrationRun(const MigrateOptions& options, Scope scope,
                           JointCutover* joint,
                           std::function<absl::Status()> before_usable,
                           Control& control, EventSink& events)
    : options_(options),
      scope_(std::move(scope)),
      joint_(joint),
      before_usable_(std::move(before_usable)),
      control_(control),
      events_(events),
      connector_{.endpoints = options.endpoints,
                 .interrupt = &control.interrupt()},
      publication_(NameOf(options.publication, options)),
      slot_(NameOf(options.slot, options)) {}

std::vector<std::string> MigrationRun::Publications() const {
  if (offline()) return {};
  return {publication_};
}

absl::Status MigrationRun::Attempt() {
  progressed_ = false;
  phase_ = Phase::kCheck;
  in_phase_ = false;
  report_ = Report();
  const absl::Status status = [this]() -> absl::Status {
    // Who waits for it has no session.
    if (offline()) RETURN_IF_ERROR(TakeTurn(Work::kRead));
    RETURN_IF_ERROR(Connect());
    ASSIGN_OR_RETURN(const bool one_session, OneSessionOnly());
    if (one_session) return MoveThroughOneSession();
    RETURN_IF_ERROR(Begin());
    if (phase_ == Phase::kDone) return absl::OkStatus();
    RETURN_IF_ERROR(MeasureWork());
    if (known_->report.has_value()) return DropCreated();
    if (offline()) RETURN_IF_ERROR(ReadWhetherUsable());
    RETURN_IF_ERROR(SettleFastTarget());
    if (!offline()) {
      RETURN_IF_ERROR(ThawLeftover());
      RETURN_IF_ERROR(ChooseGuard());
      RETURN_IF_ERROR(TakeTurnToRead());
    }
    RETURN_IF_ERROR(Prepare());
    RETURN_IF_ERROR(LoadSchema());
    RETURN_IF_ERROR(CopyRows());
    if (offline()) return Complete();
    if (!Followed()) RETURN_IF_ERROR(TakeTurn(Work::kBuild));
    RETURN_IF_ERROR(BuildIndexes());
    turn_.reset();
    return Follow();
  }();
  // Sessions end here, so that the next attempt finds no locks of this one.
  snapshot_.reset();
  restore_.reset();
  dump_.reset();
  if (!status.ok() && !IsTextNeeded(status) && went_on_ && !of_another_ &&
      ledger_ && target_ && !target_->broken() && !target_->in_transaction()) {
    // The error itself is what matters; the note is for `walferry status`.
    ledger_->SetLastError(status.message()).IgnoreError();
  }
  ledger_.reset();
  source_.reset();
  target_.reset();
  turn_.reset();
  return status;
}

// The stream's progress is its position; that of all before is what the ledger
// holds, and belongs to the attempt before, which may have lost its sessions.
absl::Status MigrationRun::MeasureWork() {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  ASSIGN_OR_RETURN(const std::vector<LedgerTable> tables, ledger_->Tables());
  auto held = static_cast<int64_t>(steps.size() + tables.size());
  for (const LedgerTable& table : tables) {
    held += table.bytes_copied + (table.copied ? 1 : 0);
  }
  progressed_ = held > work_held_;
  work_held_ = std::max(work_held_, held);
  return absl::OkStatus();
}

absl::Status MigrationRun::TakeTurn(Work work) {
  turn_.reset();
  ASSIGN_OR_RETURN(Turn turn,
                   Turn::Take(options_.turns, work, control_.interrupt()));
  turn_.emplace(std::move(turn));
  return absl::OkStatus();
}

// Of an online migration: one that has its rows goes on to follow, and keeps no
// log on the source while others copy.
absl::Status MigrationRun::TakeTurnToRead() {
  if (consistent_point_.valid()) {
    ASSIGN_OR_RETURN(const bool all_is_copied, AllIsCopied());
    if (all_is_copied) return absl::OkStatus();
  }
  return TakeTurn(Work::kRead);
}

absl::Status MigrationRun::Enter(Phase phase, bool resumed) {
  const absl::Time now = absl::Now();
  if (in_phase_) {
    events_.OnEvent(
        PhaseFinished{.phase = phase_, .duration = now - phase_started_});
  }
  phase_ = phase;
  phase_started_ = now;
  in_phase_ = true;
  if (in_ledger_) RETURN_IF_ERROR(ledger_->SetPhase(PhaseName(phase)));
  events_.OnEvent(PhaseStarted{.phase = phase, .resumed = resumed});
  return absl::OkStatus();
}

void MigrationRun::Notify(Notice::Level level, std::string text) {
  events_.OnEvent(Notice{.level = level,
                         .text = NameCommands(text, options_.endpoints.name)});
}

CopySessionOptions MigrationRun::CopySession() const {
  return {.endpoints = options_.endpoints, .interrupt = &control_.interrupt()};
}

}  // namespace walferry
