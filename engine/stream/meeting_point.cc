#include "engine/stream/meeting_point.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status StreamHasEnded() {
  return absl::UnavailableError("the stream ended during the meeting");
}

}  // namespace

void MeetingPoint::StandStill(absl::Time deadline) {
  const absl::MutexLock lock(&mutex_);
  standing_ = true;
  const auto over = [this] { return !hold_wanted_.load(); };
  mutex_.AwaitWithDeadline(absl::Condition(&over), deadline);
  standing_ = false;
}

bool MeetingPoint::CutsBefore(const Begin& begin) {
  taken_.Add(begin.xid);
  if (!sorting_.load()) return false;
  if (CutsAt(begin.final_lsn)) return true;
  const absl::MutexLock lock(&mutex_);
  if (state_ != State::kSorting) return false;
  const bool seen = snapshot_.Sees(begin.xid);
  if (cut_.has_value()) {
    if (!seen) return false;
    state_ = State::kOutOfOrder;
    sorting_.store(false);
    barrier_->Lift();
    return false;
  }
  if (seen) return false;
  cut_ = begin.final_lsn;
  return true;
}

bool MeetingPoint::CutsAt(Lsn complete) {
  if (!sorting_.load()) return false;
  const absl::MutexLock lock(&mutex_);
  if (state_ != State::kSorting || complete < end_) return false;
  state_ = State::kSorted;
  sorting_.store(false);
  if (cut_.has_value()) return false;
  cut_ = end_;
  return true;
}

std::shared_ptr<MeetingBarrier> MeetingPoint::barrier() const {
  const absl::MutexLock lock(&mutex_);
  return barrier_;
}

absl::Status MeetingPoint::Hold(absl::Time deadline) {
  const absl::MutexLock lock(&mutex_);
  if (closed_) return StreamHasEnded();
  if (barrier_ != nullptr && !barrier_->lifted()) {
    return absl::AbortedError("the appliers still stand at another meeting");
  }
  hold_wanted_.store(true);
  const auto decided = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return standing_ || closed_;
  };
  mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline);
  if (closed_) return StreamHasEnded();
  if (standing_) return absl::OkStatus();
  hold_wanted_.store(false);
  return absl::AbortedError("the stream's reader does not come to a stop");
}

absl::Status MeetingPoint::CheckTaken(const XidSnapshot& snapshot) const {
  const auto not_yet = [] {
    return absl::AbortedError(
        "a transaction that was applied already still ends on the source");
  };
  if (taken_.HasFrom(static_cast<uint32_t>(snapshot.xmax))) return not_yet();
  for (const uint64_t running : snapshot.running) {
    switch (taken_.Has(static_cast<uint32_t>(running))) {
      case TakenXids::Answer::kNo:
        break;
      case TakenXids::Answer::kYes:
        return not_yet();
      case TakenXids::Answer::kTooLongAgo:
        return WithHint(
            absl::FailedPreconditionError(absl::StrCat(
                "source: transaction ", running, " still runs, and ",
                TakenXids::kWindow,
                " others have begun since: whether it was applied already is "
                "not known any more")),
            "end it, or prepared transactions that nobody needs");
    }
  }
  return absl::OkStatus();
}

void MeetingPoint::Sort(XidSnapshot snapshot, Lsn end,
                        std::shared_ptr<MeetingBarrier> barrier) {
  const absl::MutexLock lock(&mutex_);
  if (closed_) barrier->Lift();
  snapshot_ = std::move(snapshot);
  end_ = end;
  cut_.reset();
  barrier_ = std::move(barrier);
  state_ = State::kSorting;
  sorting_.store(true);
  hold_wanted_.store(false);
}

absl::Status MeetingPoint::AwaitSorted(absl::Time deadline) const {
  const absl::MutexLock lock(&mutex_);
  const auto decided = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return state_ != State::kSorting || closed_;
  };
  const bool in_time =
      mutex_.AwaitWithDeadline(absl::Condition(&decided), deadline);
  if (closed_) return StreamHasEnded();
  if (!in_time) {
    return absl::DeadlineExceededError(absl::StrCat(
        "the stream did not come to ", end_.ToString(), " in time"));
  }
  if (state_ == State::kSorted) return absl::OkStatus();
  return absl::AbortedError(
      "transactions ended on the source in another order than they committed");
}

Lsn MeetingPoint::position() const {
  const absl::MutexLock lock(&mutex_);
  return cut_.value_or(Lsn());
}

void MeetingPoint::AbandonLocked() {
  hold_wanted_.store(false);
  sorting_.store(false);
  state_ = State::kNone;
  if (barrier_ != nullptr) barrier_->Lift();
}

void MeetingPoint::Abandon() {
  const absl::MutexLock lock(&mutex_);
  AbandonLocked();
}

void MeetingPoint::Close() {
  const absl::MutexLock lock(&mutex_);
  closed_ = true;
  AbandonLocked();
}

}  // namespace walferry
