#include "engine/cutover.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/quiet_source.h"
#include "engine/source_position.h"
#include "protocol/status.h"

namespace walferry {
namespace {

int64_t ChangesOf(const StreamRun& run) {
  const ApplyCounts counts = run.state().counts();
  return counts.inserts + counts.updates + counts.deletes + counts.truncates;
}

class CutoverAttempt {
 public:
  CutoverAttempt(const CutoverSettings& settings, Follower& follower,
                 StreamRun& run, PgConnection& source)
      : settings_(settings),
        follower_(follower),
        run_(run),
        source_(source),
        deadline_(absl::Now() + settings.timeout) {}

  absl::StatusOr<absl::Duration> Run(const FinishTarget& finish);

 private:
  absl::Status WaitUntilStill();
  absl::StatusOr<int64_t> DrainOnce();
  absl::Status Pause(std::string waiting_for);

  const CutoverSettings& settings_;
  Follower& follower_;
  StreamRun& run_;
  PgConnection& source_;
  const absl::Time deadline_;
  // No write is known to have happened since.
  absl::Time still_since_;
};

// Brings the target to where the source is now; the changes that took.
absl::StatusOr<int64_t> CutoverAttempt::DrainOnce() {
  const int64_t before = ChangesOf(run_);
  ASSIGN_OR_RETURN(const Lsn end, LastRecordEnd(source_));
  RETURN_IF_ERROR(follower_.DrainTo(end, deadline_));
  return ChangesOf(run_) - before;
}

absl::Status CutoverAttempt::Pause(std::string waiting_for) {
  follower_.SetWaitingFor(std::move(waiting_for));
  if (absl::Now() >= deadline_) {
    return absl::DeadlineExceededError("the source is still being written");
  }
  return follower_.Turn();
}

absl::Status CutoverAttempt::WaitUntilStill() {
  still_since_ = absl::InfiniteFuture();
  while (true) {
    const absl::Time now = absl::Now();
    // Asked before the drain: a writer that ends between the two is drained.
    ASSIGN_OR_RETURN(const OpenWriters writers, CountOpenWriters(source_));
    ASSIGN_OR_RETURN(const int64_t changes, DrainOnce());
    if (!writers.none() || changes > 0) {
      still_since_ = absl::InfiniteFuture();
      RETURN_IF_ERROR(Pause(absl::StrCat(
          "writes on the source to stop: ",
          writers.none() ? absl::StrCat(changes, " changes just came in")
                         : writers.Describe())));
      continue;
    }
    still_since_ = std::min(still_since_, now);
    if (settings_.freeze == FreezeMode::kReadOnly ||
        absl::Now() - still_since_ >= settings_.quiet_for) {
      follower_.SetWaitingFor("");
      return absl::OkStatus();
    }
    RETURN_IF_ERROR(Pause("the source to stay still"));
  }
}

absl::StatusOr<absl::Duration> CutoverAttempt::Run(const FinishTarget& finish) {
  while (true) {
    RETURN_IF_ERROR(WaitUntilStill());
    RETURN_IF_ERROR(finish());
    // What `finish` read must be what the source still has.
    ASSIGN_OR_RETURN(const OpenWriters writers, CountOpenWriters(source_));
    ASSIGN_OR_RETURN(const int64_t changes, DrainOnce());
    if (writers.none() && changes == 0) return absl::Now() - still_since_;
    RETURN_IF_ERROR(
        Pause("writes on the source to stop: some came in during "
              "the cutover"));
  }
}

}  // namespace

absl::StatusOr<absl::Duration> CutOver(const CutoverSettings& settings,
                                       Follower& follower, StreamRun& run,
                                       PgConnection& source,
                                       const FinishTarget& finish) {
  follower.SetPhase(Phase::kCutover);
  if (settings.freeze == FreezeMode::kReadOnly) {
    RETURN_IF_ERROR(FreezeDatabase(source));
  }
  CutoverAttempt attempt(settings, follower, run, source);
  absl::StatusOr<absl::Duration> result = attempt.Run(finish);
  if (result.ok()) return result;
  follower.SetPhase(Phase::kFollow);
  follower.SetWaitingFor("");
  if (settings.freeze == FreezeMode::kReadOnly && !source.broken()) {
    const absl::Status unfrozen = UnfreezeDatabase(source);
    if (!unfrozen.ok()) {
      return Annotate(result.status(), std::string(unfrozen.message()));
    }
  }
  return result;
}

}  // namespace walferry
