#include "engine/server/cutover_round.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "engine/name_some.h"

namespace walferry {

class CutoverRound::Member : public JointCutover {
 public:
  Member(CutoverRound& all, std::string database)
      : name(std::move(database)), all_(all) {}

  absl::StatusOr<bool> Begins(bool ready) override {
    return all_.Begins(*this, ready);
  }
  absl::Status Check() override { return all_.Check(*this); }
  absl::Status NoteFreeze(const LedgerObject& freeze) override {
    return all_.note_freeze_ ? all_.note_freeze_(name, freeze)
                             : absl::OkStatus();
  }
  absl::StatusOr<bool> Agree(
      JointStep step, bool yes,
      absl::FunctionRef<absl::StatusOr<bool>(const std::string& who)> wait)
      override {
    return all_.Agree(*this, step, yes, wait);
  }
  void Leave(const absl::Status& why) override { all_.Leave(*this, why); }

  // Guarded by the mutex of all, but for the name.
  const std::string name;
  State state = State::kAway;
  int64_t round = 0;  // That it is in.
  bool arrived = false;
  bool stopped = false;  // With kFailed: it was told to.

 private:
  CutoverRound& all_;
};

CutoverRound::CutoverRound(const std::vector<std::string>& databases,
                           CutoverMode mode, absl::Duration pause,
                           Control& control, NoteFreeze note_freeze)
    : mode_(mode),
      pause_(pause),
      control_(control),
      note_freeze_(std::move(note_freeze)) {
  absl::MutexLock lock(&mutex_);
  for (const std::string& database : databases) {
    members_.push_back(std::make_unique<Member>(*this, database));
  }
}

CutoverRound::~CutoverRound() = default;

JointCutover& CutoverRound::Of(size_t place) {
  absl::MutexLock lock(&mutex_);
  return *members_[place];
}

// ---- What a member calls ----

absl::StatusOr<bool> CutoverRound::Begins(Member& member, bool ready) {
  absl::MutexLock lock(&mutex_);
  // A round that counts on it goes on: it waits there for what it lacks.
  if (!ready && !(open_ && member.state == State::kReady)) {
    member.state = State::kAway;
    return false;
  }
  if (member.state == State::kAway) member.state = State::kReady;
  OpenIfDue();
  if (!open_) {
    // Nobody is there to ask again once the cause is mended.
    const bool all_wait = NumberOf(State::kReady) == Remaining();
    const std::string failed = FailedDatabases();
    if (mode_ == CutoverMode::kAuto && all_wait && !failed.empty()) {
      return absl::CancelledError(
          absl::StrCat("stopped, as it is not cut over without ", failed));
    }
    return false;
  }
  member.state = State::kIn;
  member.round = round_;
  return true;
}

absl::Status CutoverRound::Check(Member& member) {
  absl::MutexLock lock(&mutex_);
  return CheckLocked(member);
}

absl::StatusOr<bool> CutoverRound::Agree(
    Member& member, JointStep step, bool yes,
    absl::FunctionRef<absl::StatusOr<bool>(const std::string& who)> wait) {
  int64_t before = 0;
  std::string missing;
  {
    absl::MutexLock lock(&mutex_);
    // It repeats what it does alone: the others have agreed already.
    if (member.state == State::kCommitted) return yes;
    if (absl::Status status = CheckLocked(member); !status.ok()) return status;
    before = steps_;
    member.arrived = true;
    ++arrived_;
    all_yes_ &= yes;
    if (arrived_ == size_) Count(step);
  }
  while (true) {
    {
      absl::MutexLock lock(&mutex_);
      // First: what all have said stands, also if one was lost since.
      if (steps_ > before) return result_;
      if (absl::Status status = CheckLocked(member); !status.ok()) {
        return status;
      }
      missing = MissingAtStep();
    }
    const absl::StatusOr<bool> holds = wait(missing);
    absl::MutexLock lock(&mutex_);
    if (steps_ > before) return result_;
    if (holds.ok()) {
      // Of a round that was given up it means nothing any more.
      if (open_ && member.round == round_) all_yes_ &= *holds;
      continue;
    }
    GiveUpOf(member, holds.status());
    return holds.status();
  }
}

void CutoverRound::Leave(Member& member, const absl::Status& why) {
  absl::MutexLock lock(&mutex_);
  const bool in_it =
      open_ && (member.state == State::kReady ||
                (member.state == State::kIn && member.round == round_));
  member.state = State::kAway;
  if (in_it) GiveUpOf(member, why);
}

void CutoverRound::End(size_t place, const absl::Status& status) {
  absl::MutexLock lock(&mutex_);
  Member& member = *members_[place];
  const bool in_it = open_ && member.state != State::kCommitted;
  member.state = status.ok() ? State::kDone : State::kFailed;
  if (status.ok()) return;
  member.stopped = absl::IsCancelled(status);
  if (!in_it) return;
  const std::string why =
      absl::StrCat("database ", member.name, ": ", status.message());
  if (member.stopped) {
    GiveUp(why, Then::kByItself);
  } else {
    GiveUp(absl::StrCat(why, "; ", HowToMend()), Then::kWhenMended);
  }
}

bool CutoverRound::MayStop() {
  absl::MutexLock lock(&mutex_);
  const bool committed = NumberOf(State::kCommitted) > 0;
  // Only what is told of it is left.
  const bool all_done =
      !members_.empty() &&
      NumberOf(State::kDone) == static_cast<int64_t>(members_.size());
  if (committed || all_done) return false;
  stopping_ = true;
  if (!open_) return true;
  // Not told: whoever stops it knows.
  open_ = false;
  for (const auto& member : members_) member->arrived = false;
  why_ = "stopped on request";
  return true;
}

// ---- What whoever leads it calls ----

void CutoverRound::SetAskedInLedger(bool asked) {
  absl::MutexLock lock(&mutex_);
  // What ends the request is not in the ledger yet.
  asked_in_ledger_ = asked && !(news_ && news_->then != Then::kByItself);
  if (!Asked() || mode_ == CutoverMode::kAuto || open_) return;
  // It was made, and what has failed since is told at the end.
  if (NumberOf(State::kCommitted) > 0 || Remaining() == 0) return;
  const std::string failed = FailedDatabases();
  if (failed.empty()) return;
  GiveUp(absl::StrCat("it is not made without ", failed, "; ", HowToMend()),
         Then::kWhenMended);
}

CutoverRound::View CutoverRound::Look() const {
  absl::MutexLock lock(&mutex_);
  View view{.remaining = Remaining() + NumberOf(State::kFailed),
            .caught_up = NumberOf(State::kReady) + NumberOf(State::kIn) +
                         NumberOf(State::kCommitted),
            .open = open_ || NumberOf(State::kCommitted) > 0,
            .failed = FailedDatabases()};
  std::vector<std::string> waiting_for;
  const std::string behind = NamesOf(State::kAway);
  const std::string leaving = open_ ? "" : NamesOf(State::kIn);
  const std::string missing = open_ ? MissingAtStep() : "";
  if (!leaving.empty()) {
    waiting_for.push_back(
        absl::StrCat("databases to leave a cutover given up: ", leaving));
  }
  if (!behind.empty()) {
    waiting_for.push_back(absl::StrCat("databases to catch up: ", behind));
  }
  if (!view.failed.empty()) {
    waiting_for.push_back(
        absl::StrCat("somebody to mend what has failed: ", view.failed));
  }
  if (waiting_for.empty() && !missing.empty()) {
    waiting_for.push_back(absl::StrCat("databases to be still: ", missing));
  }
  view.waiting_for = absl::StrJoin(waiting_for, "; ");
  return view;
}

std::optional<CutoverRound::GivenUp> CutoverRound::TakeGivenUp() {
  absl::MutexLock lock(&mutex_);
  // What is told of all is not so yet: some may be frozen still.
  if (!open_ && NumberOf(State::kIn) > 0) return std::nullopt;
  return std::exchange(news_, std::nullopt);
}

// ---- Under the mutex ----

bool CutoverRound::Asked() const {
  return mode_ == CutoverMode::kAuto || control_.cutover_requested() ||
         asked_in_ledger_;
}

void CutoverRound::OpenIfDue() {
  const int64_t ready = NumberOf(State::kReady);
  if (open_ || stopping_ || !Asked() || ready == 0 || ready != Remaining() ||
      NumberOf(State::kFailed) > 0 || absl::Now() < not_before_) {
    return;
  }
  open_ = true;
  ++round_;
  size_ = ready;
  arrived_ = 0;
  all_yes_ = true;
}

void CutoverRound::GiveUpOf(const Member& member, const absl::Status& why) {
  GiveUp(absl::StrCat("database ", member.name, ": ", why.message()),
         absl::IsDeadlineExceeded(why) && mode_ == CutoverMode::kManual
             ? Then::kWhenAsked
             : Then::kByItself);
  // Whoever took too long would do so again.
  if (absl::IsDeadlineExceeded(why) && mode_ == CutoverMode::kAuto) {
    not_before_ = absl::Now() + pause_;
  }
}

void CutoverRound::GiveUp(std::string why, Then then) {
  if (open_) {
    open_ = false;
    for (const auto& member : members_) member->arrived = false;
  }
  why_ = why;
  if (news_) then = std::max(then, news_->then);
  if (then != Then::kByItself) {
    control_.WithdrawCutover();
    asked_in_ledger_ = false;
  }
  news_ = {.why = std::move(why), .then = then};
}

std::string CutoverRound::HowToMend() const {
  return absl::StrCat(
      mode_ == CutoverMode::kManual ? "stop with Ctrl+C twice, " : "",
      "mend what is named and run the same command again");
}

absl::Status CutoverRound::CheckLocked(const Member& member) {
  if (open_ && !Asked()) GiveUp("the request was withdrawn", Then::kWhenAsked);
  if (member.state == State::kCommitted) return absl::OkStatus();
  if (open_ && member.round == round_) return absl::OkStatus();
  return absl::DeadlineExceededError(why_);
}

void CutoverRound::Count(JointStep step) {
  result_ = all_yes_;
  ++steps_;
  arrived_ = 0;
  all_yes_ = true;
  for (const auto& member : members_) member->arrived = false;
  if (step != JointStep::kConfirmed || !result_) return;
  open_ = false;
  for (const auto& member : members_) {
    if (member->state == State::kIn) member->state = State::kCommitted;
  }
}

int64_t CutoverRound::NumberOf(State state) const {
  return absl::c_count_if(
      members_, [&](const auto& member) { return member->state == state; });
}

int64_t CutoverRound::Remaining() const {
  return static_cast<int64_t>(members_.size()) - NumberOf(State::kDone) -
         NumberOf(State::kFailed);
}

std::string CutoverRound::FailedDatabases() const {
  std::vector<std::string> failed;
  for (const auto& member : members_) {
    if (member->state != State::kFailed || member->stopped) continue;
    failed.push_back(
        absl::StrCat("database ", member->name, ", which has failed"));
  }
  return NameSome(failed);
}

std::string CutoverRound::NamesOf(State state) const {
  std::vector<std::string> names;
  for (const auto& member : members_) {
    if (member->state == state) names.push_back(member->name);
  }
  return NameSome(names);
}

std::string CutoverRound::MissingAtStep() const {
  std::vector<std::string> missing;
  for (const auto& member : members_) {
    const bool belongs =
        member->state == State::kReady || member->state == State::kIn;
    if (belongs && !member->arrived) missing.push_back(member->name);
  }
  return NameSome(missing);
}

}  // namespace walferry
