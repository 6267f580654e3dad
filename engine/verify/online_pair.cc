#include "engine/verify/online_pair.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/time/clock.h"
#include "protocol/status.h"

namespace walferry {

AskOptions AskingFor(const Endpoints& endpoints, const Control& control,
                     EventSink& events) {
  return {.endpoints = endpoints,
          .interrupt = &control.interrupt(),
          .on_wait = [&events](const std::string& text) {
            events.OnEvent(Notice{.text = text});
          }};
}

absl::StatusOr<std::unique_ptr<OnlinePair>> OnlinePair::Create(
    Endpoints endpoints, MeetFunction meet, absl::Duration max_age) {
  std::unique_ptr<OnlinePair> pair(
      new OnlinePair(std::move(endpoints), std::move(meet), max_age));
  RETURN_IF_ERROR(pair->Renew());
  return pair;
}

absl::Status OnlinePair::Renew() {
  {
    // The servers need not keep old rows while the new ones are waited for.
    const absl::MutexLock lock(&mutex_);
    states_.reset();
  }
  ASSIGN_OR_RETURN(std::unique_ptr<HeldStates> states, meet_());
  const absl::MutexLock lock(&mutex_);
  states_ = std::move(states);
  moment_ = {.position = states_->met().position,
             .pause = std::max(moment_.pause, states_->met().pause),
             .taken = moment_.taken + 1};
  return absl::OkStatus();
}

absl::StatusOr<SessionPair> OnlinePair::Open(const Interrupt* interrupt) {
  MetStates met;
  {
    const absl::MutexLock lock(&mutex_);
    if (states_ == nullptr) {
      return absl::UnavailableError("no states of both sides are held");
    }
    met = states_->met();
  }
  ASSIGN_OR_RETURN(SessionPair sessions,
                   ConnectToCompare(endpoints_, interrupt, Contact::kAgain));
  RETURN_IF_ERROR(Annotate(EnterSnapshot(sessions.source, met.source_snapshot),
                           "source: taking over the snapshot"));
  RETURN_IF_ERROR(Annotate(EnterSnapshot(sessions.target, met.target_snapshot),
                           "target: taking over the snapshot"));
  return sessions;
}

absl::Status OnlinePair::Check() {
  const absl::MutexLock lock(&mutex_);
  if (states_ != nullptr) return states_->Check();
  return absl::UnavailableError("no states of both sides are held");
}

int OnlinePair::most_sessions() const {
  return std::numeric_limits<int>::max();
}

bool OnlinePair::expired() {
  const absl::MutexLock lock(&mutex_);
  return states_ != nullptr && absl::Now() - states_->met().at > max_age_;
}

std::optional<PairMoment> OnlinePair::moment() {
  const absl::MutexLock lock(&mutex_);
  return moment_;
}

}  // namespace walferry
