// What another process asks of a running stream: one state of both sides.

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/migration/migration_run.h"
#include "engine/stream/meeting.h"
#include "engine/stream/meeting_request.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// The stream is looked after meanwhile, and so is the ledger afterwards: who
// asks waits longer.
constexpr absl::Duration kPatience = absl::Seconds(2);

bool MayCome(const absl::Status& status) {
  return absl::IsAborted(status) || absl::IsDeadlineExceeded(status);
}

}  // namespace

absl::StatusOr<std::unique_ptr<HeldStates>> MigrationRun::MeetNow(
    Follower& follower, StreamRun& run, const MeetingOptions& options) {
  const MeetingContext context{.run = run,
                               .source = *source_,
                               .connector = connector_,
                               .turn = [&follower] { return follower.Turn(); }};
  return Meet(context, options);
}

// What an earlier process has met is held no more.
absl::Status MigrationRun::BeginMeetings() {
  held_states_.clear();
  return EndMeetings("the process that held it has ended",
                     [](const MeetingRequest& /*request*/) { return true; });
}

// Nothing would arrive before its time is over.
absl::Status MigrationRun::LetAppliersGoOn(absl::string_view why) {
  // Also where the request is gone already.
  std::erase_if(held_states_,
                [](const auto& held) { return held.second->holds_appliers(); });
  return EndMeetings(why, [](const MeetingRequest& request) {
    return request.holds_appliers;
  });
}

absl::Status MigrationRun::EndMeetings(
    absl::string_view why,
    const std::function<bool(const MeetingRequest&)>& chosen) {
  MeetingRequests requests(*target_, ledger_->sql().key());
  ASSIGN_OR_RETURN(const std::vector<MeetingRequest> all, requests.All());
  for (const MeetingRequest& request : all) {
    if (request.state != MeetingRequest::State::kMet || !chosen(request)) {
      continue;
    }
    held_states_.erase(request.id);
    RETURN_IF_ERROR(requests.SetFailed(request.id, why));
  }
  return absl::OkStatus();
}

bool MigrationRun::AppliersAreHeld() const {
  return absl::c_any_of(held_states_, [](const auto& held) {
    return held.second->holds_appliers();
  });
}

absl::Status MigrationRun::ServeMeetings(Follower& follower, StreamRun& run,
                                         absl::Time deadline) {
  MeetingRequests requests(*target_, ledger_->sql().key());
  ASSIGN_OR_RETURN(const std::vector<MeetingRequest> all, requests.All());
  const auto is_wanted = [&all](const std::string& id) {
    return absl::c_any_of(all, [&id](const MeetingRequest& request) {
      return request.id == id && !request.silent;
    });
  };
  for (auto held = held_states_.begin(); held != held_states_.end();) {
    held = is_wanted(held->first) ? std::next(held) : held_states_.erase(held);
  }
  for (const MeetingRequest& request : all) {
    if (request.silent) {
      RETURN_IF_ERROR(requests.Withdraw(request.id));
    } else if (request.state == MeetingRequest::State::kAsked) {
      RETURN_IF_ERROR(Answer(requests, request, follower, run, deadline));
    } else if (request.state == MeetingRequest::State::kMet) {
      RETURN_IF_ERROR(CheckHeld(requests, request));
    }
  }
  return absl::OkStatus();
}

absl::Status MigrationRun::Answer(MeetingRequests& requests,
                                  const MeetingRequest& request,
                                  Follower& follower, StreamRun& run,
                                  absl::Time deadline) {
  absl::StatusOr<std::unique_ptr<HeldStates>> states =
      absl::AbortedError("the migration has not caught up yet");
  if (request.holds_appliers && phase_ == Phase::kCutover) {
    states = absl::AbortedError("a cutover has begun");
  } else if (AppliersAreHeld()) {
    states = absl::AbortedError(
        "no changes are applied now, as another process repairs rows");
  } else if (follower.caught_up()) {
    states = MeetNow(follower, run,
                     {.holds_appliers = request.holds_appliers,
                      .patience = kPatience,
                      .deadline = deadline});
  }
  if (states.ok()) {
    RETURN_IF_ERROR(requests.SetMet(request.id, (*states)->met()));
    held_states_[request.id] = *std::move(states);
    return absl::OkStatus();
  }
  // The stream's own end is the next turn's to tell.
  if (run.ended() || source_->broken()) return absl::OkStatus();
  if (!MayCome(states.status())) {
    return requests.SetFailed(request.id, states.status().message());
  }
  if (request.waiting_for == states.status().message()) return absl::OkStatus();
  return requests.SetWaiting(request.id, states.status().message());
}

absl::Status MigrationRun::CheckHeld(MeetingRequests& requests,
                                     const MeetingRequest& request) {
  const auto held = held_states_.find(request.id);
  if (held == held_states_.end()) return absl::OkStatus();
  const absl::Status check = held->second->Check();
  if (check.ok()) return absl::OkStatus();
  held_states_.erase(held);
  return requests.SetFailed(request.id, check.message());
}

}  // namespace walferry
