#include "engine/cutover/cutover.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/source_position.h"
#include "engine/cutover/quiet_source.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(20);
// Between two looks for open writers while others are waited for.
constexpr absl::Duration kLookInterval = absl::Milliseconds(100);

int64_t ChangesOf(const StreamRun& run) {
  return Changes(run.state().counts());
}

class CutoverAttempt {
 public:
  CutoverAttempt(const CutoverSettings& settings, Follower& follower,
                 StreamRun& run, PgConnection& source,
                 const CutoverSteps& steps)
      : settings_(settings),
        follower_(follower),
        run_(run),
        source_(source),
        steps_(steps),
        deadline_(absl::Now() + settings.timeout),
        seen_(ChangesOf(run)) {}

  absl::StatusOr<absl::Time> Run();

 private:
  absl::Status WaitUntilStill();
  absl::StatusOr<bool> Proved();
  absl::StatusOr<bool> ProvedWithOthers();
  absl::StatusOr<bool> StillProved();
  absl::StatusOr<int64_t> Drain();
  int64_t TakeChanges();
  absl::Status Pause(absl::Duration length, std::string waiting_for);

  const CutoverSettings& settings_;
  Follower& follower_;
  StreamRun& run_;
  PgConnection& source_;
  const CutoverSteps& steps_;
  absl::Time deadline_;
  // Changes that have been counted as writes already.
  int64_t seen_;
  // No write is known to have happened since.
  absl::Time still_since_;
  absl::Time next_look_ = absl::InfinitePast();
};

// Applied since the last look, whatever was done in between.
int64_t CutoverAttempt::TakeChanges() {
  const int64_t now = ChangesOf(run_);
  return now - std::exchange(seen_, now);
}

// Brings the target to where the source is now; the changes since the last
// look.
absl::StatusOr<int64_t> CutoverAttempt::Drain() {
  ASSIGN_OR_RETURN(const Lsn end, LastRecordEnd(source_));
  RETURN_IF_ERROR(follower_.DrainTo(end, deadline_));
  return TakeChanges();
}

absl::Status CutoverAttempt::Pause(absl::Duration length,
                                   std::string waiting_for) {
  follower_.SetWaitingFor(std::move(waiting_for));
  const absl::Time until = absl::Now() + length;
  do {
    if (absl::Now() >= deadline_) {
      return absl::DeadlineExceededError("the source is still being written");
    }
    RETURN_IF_ERROR(follower_.Turn());
  } while (absl::Now() < until);
  return steps_.watch();
}

absl::Status CutoverAttempt::WaitUntilStill() {
  still_since_ = absl::InfiniteFuture();
  absl::Duration pause = kFirstPause;
  while (true) {
    const absl::Time now = absl::Now();
    // Asked before the drain: a writer that ends between the two is drained.
    ASSIGN_OR_RETURN(const OpenWriters writers, CountOpenWriters(source_));
    int64_t changes = TakeChanges();
    const bool first_look = still_since_ == absl::InfiniteFuture();
    const bool last_look = now - still_since_ >= settings_.quiet_for;
    // A drain writes to the source's log: only when it can decide something.
    if (writers.none() && changes == 0 && (first_look || last_look)) {
      ASSIGN_OR_RETURN(changes, Drain());
    }
    if (!writers.none() || changes > 0) {
      still_since_ = absl::InfiniteFuture();
      RETURN_IF_ERROR(Pause(
          pause,
          absl::StrCat("writes on the source to stop: ",
                       writers.none()
                           ? absl::StrCat(changes, " changes just came in")
                           : writers.Describe())));
      pause = std::min(pause * 2, settings_.longest_pause);
      continue;
    }
    pause = kFirstPause;
    if (last_look) {
      follower_.SetWaitingFor("");
      return absl::OkStatus();
    }
    still_since_ = std::min(still_since_, now);
    RETURN_IF_ERROR(Pause(kFirstPause, "the source to stay still"));
  }
}

// What `finish` has read is what the source still has.
absl::StatusOr<bool> CutoverAttempt::Proved() {
  ASSIGN_OR_RETURN(const OpenWriters writers, CountOpenWriters(source_));
  ASSIGN_OR_RETURN(const int64_t changes, Drain());
  if (!writers.none() || changes > 0) return false;
  return steps_.unchanged();
}

// Cheaper than a proof, and asked all the time. What it sees is still to be
// counted as a write.
absl::StatusOr<bool> CutoverAttempt::StillProved() {
  if (ChangesOf(run_) != seen_) return false;
  const absl::Time now = absl::Now();
  if (now < next_look_) return true;
  next_look_ = now + kLookInterval;
  ASSIGN_OR_RETURN(const OpenWriters writers, CountOpenWriters(source_));
  return writers.none();
}

// The others may have taken long to come as far: what was proved is proved once
// more when all of them are there, and holds until the last of them has voted.
absl::StatusOr<bool> CutoverAttempt::ProvedWithOthers() {
  ASSIGN_OR_RETURN(const bool proved, Proved());
  if (!proved || !steps_.agree) return proved;
  const absl::Time deadline = deadline_ + settings_.grace_for_others;
  RETURN_IF_ERROR(
      steps_.agree(JointStep::kProved, true, deadline, [] { return true; })
          .status());
  ASSIGN_OR_RETURN(const bool still, Proved());
  ASSIGN_OR_RETURN(const bool agreed,
                   steps_.agree(JointStep::kConfirmed, still, deadline,
                                [this] { return StillProved(); }));
  if (!agreed) return false;
  // Nobody waits for this one any more: what came between its last look and
  // the last vote is carried over by it alone, in a time of its own.
  deadline_ = absl::Now() + settings_.timeout;
  ASSIGN_OR_RETURN(const bool unwritten, Proved());
  if (!unwritten) steps_.written_late();
  return unwritten;
}

absl::StatusOr<absl::Time> CutoverAttempt::Run() {
  while (true) {
    RETURN_IF_ERROR(WaitUntilStill());
    // The time is for the source to be found still, and not for what is done
    // when it is.
    const absl::Time begun = absl::Now();
    RETURN_IF_ERROR(steps_.finish());
    deadline_ += absl::Now() - begun;
    ASSIGN_OR_RETURN(const bool proved, ProvedWithOthers());
    if (proved) return still_since_;
    RETURN_IF_ERROR(Pause(kFirstPause,
                          "writes on the source to stop: some came in during "
                          "the cutover"));
  }
}

}  // namespace

absl::StatusOr<absl::Time> CutOver(const CutoverSettings& settings,
                                   Follower& follower, StreamRun& run,
                                   PgConnection& source,
                                   const CutoverSteps& steps) {
  follower.SetPhase(Phase::kCutover);
  CutoverAttempt attempt(settings, follower, run, source, steps);
  return attempt.Run();
}

}  // namespace walferry
