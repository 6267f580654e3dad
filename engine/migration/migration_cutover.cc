// The cutover: the source is made still or found so, the target is completed,
// and what acts on rows is created only when no change can come any more.

#include <algorithm>
#include <functional>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/source_position.h"
#include "engine/cutover/cutover.h"
#include "engine/cutover/quiet_source.h"
#include "engine/cutover/source_freeze.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/migration/migration_run.h"
#include "engine/schema/sequences.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// How long an unasked source must have been still to count as stopped, at
// least: a pool's idle moment is not the end.
constexpr absl::Duration kQuietForAuto = absl::Seconds(1);
// Between two looks at a source whose writers are said to have stopped.
constexpr absl::Duration kPauseIfAsked = absl::Milliseconds(100);
// Beyond the time that all have.
constexpr absl::Duration kGraceForOthers = absl::Seconds(2);
// What the stream may be behind when the source is frozen.
constexpr absl::Duration kNear = absl::Seconds(1);

// An error of the source that says what is to be mended.
bool IsForOperator(const absl::Status& why, const PgConnection& source,
                   const StreamRun& run) {
  return !source.broken() && !run.ended() &&
         (absl::IsFailedPrecondition(why) || absl::IsPermissionDenied(why));
}

}  // namespace

// A cutover that did not come to its end has left it, and nobody knows for how
// long: what is written now is carried over.
absl::Status MigrationRun::ThawLeftover() {
  ASSIGN_OR_RETURN(frozen_, FindFreeze(*ledger_));
  if (!frozen_) return absl::OkStatus();
  RETURN_IF_ERROR(ThawSource(connector_, *frozen_));
  frozen_.reset();
  Notify(Notice::Level::kWarning,
         "an earlier cutover had left the source read-only; it takes writes "
         "again");
  return absl::OkStatus();
}

// What the ledger says was chosen stays so: what is there is never applied to
// unguarded, and what is not there yet is not forgotten.
absl::Status MigrationRun::ChooseGuard() {
  ASSIGN_OR_RETURN(const std::vector<std::string> steps, ledger_->StepsDone());
  const bool acting = std::any_of(steps.begin(), steps.end(), ActsOnRows);
  defer_triggers_ = known_->defer_triggers;
  sealed_ = acting && !may_guard_;
  if (may_guard_ || defer_triggers_) return absl::OkStatus();
  if (acting) {
    return WithHint(
        absl::FailedPreconditionError(
            "the target has triggers and foreign keys already, and its role "
            "may not keep them from acting on applied changes any more "
            "(session_replication_role)"),
        "connect to the target as the role that began the migration, or give "
        "this one the right back");
  }
  defer_triggers_ = true;
  return ledger_->SetDeferTriggers();
}

absl::Status MigrationRun::Freeze(Follower& follower) {
  if (options_.freeze != FreezeMode::kReadOnly) return absl::OkStatus();
  // One that could not be taken back is still noted.
  if (!frozen_) {
    ASSIGN_OR_RETURN(const LedgerObject freeze, DescribeFreeze(*source_));
    if (joint()) RETURN_IF_ERROR(joint_->NoteFreeze(freeze));
    frozen_ = freeze;
    RETURN_IF_ERROR(ledger_->AddObject(*frozen_));
  }
  return FreezeDatabase(*source_, [&follower] { return follower.Turn(); });
}

// Takes the freeze back because of `why`, which it returns.
absl::Status MigrationRun::Thaw(const absl::Status& why) {
  if (!frozen_) return why;
  const absl::Status thawed = ThawSource(connector_, *frozen_);
  if (!thawed.ok()) return Annotate(why, thawed.message());
  frozen_.reset();
  return why;
}

// The source is frozen only for what is left then.
absl::Status MigrationRun::ComeNear(Follower& follower) {
  const absl::Time deadline = absl::Now() + options_.cutover_timeout;
  follower.SetPhase(Phase::kCutover);
  follower.SetWaitingFor("the lag to be short enough to freeze the source");
  absl::Time begun;
  do {
    RETURN_IF_ERROR(CheckStillAsked());
    begun = absl::Now();
    ASSIGN_OR_RETURN(const Lsn end, LastRecordEnd(*source_));
    RETURN_IF_ERROR(follower.DrainTo(end, deadline));
  } while (absl::Now() - begun > kNear);
  return absl::OkStatus();
}

// Whoever asked over the ledger may withdraw that while writers are waited for.
absl::Status MigrationRun::CheckStillAsked() {
  if (joint()) return joint_->Check();
  if (!asked_in_ledger_ || control_.cutover_requested()) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool requested, ledger_->CutoverRequested());
  if (requested) return absl::OkStatus();
  return absl::DeadlineExceededError("the request was withdrawn");
}

absl::StatusOr<absl::Time> MigrationRun::TryCutover(Follower& follower,
                                                    StreamRun& run) {
  RETURN_IF_ERROR(Enter(Phase::kCutover));
  unlogged_.emplace(CopySession(), encoding_, sealed_);
  const bool asked =
      options_.cutover == CutoverMode::kManual || control_.cutover_requested();
  // Not while the source is still: that is what its writers wait for.
  if (asked) RETURN_IF_ERROR(PrepareRest());
  follower.SetPhase(Phase::kCutover);
  RETURN_IF_ERROR(ProveForCutover(follower, run));
  if (options_.freeze == FreezeMode::kReadOnly) {
    RETURN_IF_ERROR(ComeNear(follower));
    // None is frozen for the sake of one that is not near.
    if (joint()) {
      // Another one may be compared for as long as it takes.
      const absl::Time deadline = options_.proof == nullptr
                                      ? absl::Now() + options_.cutover_timeout
                                      : absl::InfiniteFuture();
      RETURN_IF_ERROR(
          AgreeWithOthers(follower, JointStep::kNear, true, deadline, [] {
            return true;
          }).status());
    }
  }
  RETURN_IF_ERROR(CheckStillAsked());
  if (absl::Status frozen = Freeze(follower); !frozen.ok()) {
    // Only somebody who looks on can ask again.
    if (options_.cutover == CutoverMode::kManual &&
        IsForOperator(frozen, *source_, run)) {
      frozen = absl::DeadlineExceededError(
          absl::StrCat(frozen.message(), HintOf(frozen).empty() ? "" : "; ",
                       HintOf(frozen)));
    }
    return Thaw(frozen);
  }
  // A source that is frozen is not written, whatever its rhythm was.
  const absl::Duration silence =
      frozen_ ? kPauseIfAsked : follower.SilenceNeeded();
  absl::StatusOr<absl::Time> still_since = CutOver(
      {.quiet_for = asked ? silence : std::max(silence, kQuietForAuto),
       .timeout = asked || frozen_ ? options_.cutover_timeout
                                   : absl::InfiniteDuration(),
       .grace_for_others = kGraceForOthers + (options_.proof == nullptr
                                                  ? absl::ZeroDuration()
                                                  : options_.verify_budget),
       .longest_pause = asked ? kPauseIfAsked : options_.stream.poll_interval},
      follower, run, *source_, StepsOfCutover(follower, run));
  if (!still_since.ok()) return Thaw(still_since.status());
  return still_since;
}

CutoverSteps MigrationRun::StepsOfCutover(Follower& follower, StreamRun& run) {
  CutoverSteps steps{.watch =
                         [this] {
                           RETURN_IF_ERROR(CheckStillAsked());
                           return WatchSourceIfDue();
                         },
                     .finish =
                         [this, &follower, &run] {
                           RETURN_IF_ERROR(FinishTarget());
                           return ProveOnceMore(follower, run);
                         },
                     .unchanged = [this] { return SourceIsUnchanged(); },
                     .agree = nullptr,
                     .written_late = nullptr};
  if (joint()) {
    steps.agree = [this, &follower](
                      JointStep step, bool yes, absl::Time deadline,
                      const std::function<absl::StatusOr<bool>()>& holds) {
      return AgreeWithOthers(follower, step, yes, deadline, holds);
    };
    steps.written_late = [this] { TellWrittenLate(); };
  }
  return steps;
}

// Nothing is lost, but whoever looks at several databases sees those that were
// done before as of a moment before.
void MigrationRun::TellWrittenLate() {
  constexpr char kText[] =
      "the source was written after all databases had agreed to cut over: that "
      "is carried over too, but the others did not wait for it; see that "
      "nothing writes to it any more";
  if (absl::c_linear_search(report_.remarks, kText)) return;
  report_.remarks.emplace_back(kText);
  Notify(Notice::Level::kWarning, kText);
}

// The stream runs on meanwhile, and its end is noticed.
absl::StatusOr<bool> MigrationRun::AgreeWithOthers(
    Follower& follower, JointStep step, bool yes, absl::Time deadline,
    const std::function<absl::StatusOr<bool>()>& holds) {
  ASSIGN_OR_RETURN(
      const bool agreed,
      joint_->Agree(
          step, yes, [&](const std::string& who) -> absl::StatusOr<bool> {
            if (absl::Now() >= deadline) {
              return absl::DeadlineExceededError(
                  absl::StrCat("has waited too long for ", who));
            }
            follower.SetWaitingFor(absl::StrCat("other databases: ", who));
            RETURN_IF_ERROR(follower.Turn());
            RETURN_IF_ERROR(WatchSourceIfDue());
            return holds();
          }));
  follower.SetWaitingFor("");
  return agreed;
}

// Between parts that may take long: what another has given up keeps no source
// frozen for longer than needed.
absl::Status MigrationRun::CheckTogether() {
  return joint() ? joint_->Check() : absl::OkStatus();
}

// What the stream does not carry.
absl::Status MigrationRun::FinishTarget() {
  RETURN_IF_ERROR(WatchSource());
  RETURN_IF_ERROR(CompareSchemaFacts());
  RETURN_IF_ERROR(PrepareRest());
  RETURN_IF_ERROR(CheckTogether());
  RETURN_IF_ERROR(unlogged_->Copy(catalog_));
  RETURN_IF_ERROR(CheckTogether());
  return SetSequencesAndViews();
}

absl::StatusOr<bool> MigrationRun::SourceIsUnchanged() {
  RETURN_IF_ERROR(WatchSource());
  if (options_.sequence_sync) {
    ASSIGN_OR_RETURN(const bool match,
                     SequencesMatch(*source_, *target_, catalog_.sequences));
    if (!match) return false;
  }
  return unlogged_->Unchanged(catalog_);
}

// The steps of the schema that were left for the cutover, ready to be done.
absl::Status MigrationRun::PrepareRest() {
  return defer_triggers_ ? OpenRestore() : absl::OkStatus();
}

// The source was proved still, and the stream has ended: what acts on rows may
// come.
absl::Status MigrationRun::CompleteTarget(StreamRun& run) {
  RETURN_IF_ERROR(run.Stop());
  if (defer_triggers_) {
    RETURN_IF_ERROR(restore_->RestorePreData());
    RETURN_IF_ERROR(
        RestoreStages({SchemaStage::kIndexes, SchemaStage::kObjects,
                       SchemaStage::kForeignKeys, SchemaStage::kTriggers,
                       SchemaStage::kEventTriggers}));
    RETURN_IF_ERROR(ProveStillUnwritten());
  }
  return FillReport();
}

// A foreign key takes long, and a freeze alone is no proof that nothing was
// written meanwhile.
absl::Status MigrationRun::ProveStillUnwritten() {
  sealed_ = !may_guard_;
  const int64_t before = Changes(followed_.counts);
  ASSIGN_OR_RETURN(const Lsn end, LastRecordEnd(*source_));
  RETURN_IF_ERROR(DrainTo(end, Phase::kCutover,
                          "the proof that nothing was written meanwhile"));
  if (Changes(followed_.counts) == before) return absl::OkStatus();
  return absl::AbortedError("the source was written while the cutover ended");
}

}  // namespace walferry
