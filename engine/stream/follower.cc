#include "engine/stream/follower.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "engine/connect/source_position.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr absl::Duration kTurn = absl::Milliseconds(20);
constexpr absl::Duration kShortTurn = absl::Milliseconds(2);

}  // namespace

absl::Status Follower::Turn() {
  RETURN_IF_ERROR(CheckStream());
  const absl::Time now = absl::Now();
  rhythm_.Note(now, context_.run.state().counts().transactions);
  if (now >= next_heartbeat_) RETURN_IF_ERROR(Heartbeat());
  return context_.control.interrupt().Sleep(kTurn);
}

absl::Status Follower::DrainTo(Lsn lsn, absl::Time deadline) {
  context_.run.DrainTo(lsn);
  while (context_.run.state().applied() < lsn) {
    RETURN_IF_ERROR(CheckStream());
    const absl::Time now = absl::Now();
    if (now >= deadline) {
      return absl::DeadlineExceededError(absl::StrCat(
          "the stream has come to ", context_.run.state().applied().ToString(),
          " and not to ", lsn.ToString(), " in time"));
    }
    if (now >= next_heartbeat_) RETURN_IF_ERROR(Heartbeat());
    RETURN_IF_ERROR(context_.control.interrupt().Sleep(kShortTurn));
  }
  return absl::OkStatus();
}

void Follower::AddToTotals() {
  ApplyCounts& counts = context_.totals.counts;
  counts = Sum(counts, context_.run.state().counts());
}

absl::Status Follower::CheckStream() {
  if (context_.control.stop_requested()) {
    return absl::CancelledError("stopped on request");
  }
  const std::optional<absl::Status> ended = context_.run.ended();
  if (!ended || ended->ok()) return absl::OkStatus();
  if (const std::optional<Conflict> conflict = context_.run.conflict()) {
    context_.events.OnEvent(ConflictFound{*conflict, context_.slot});
    if (HintOf(*ended).empty()) {
      return WithHint(*ended,
                      "nothing of its transaction was applied: mend the row or "
                      "the constraint on the target and run the same command "
                      "again");
    }
  }
  return *ended;
}

absl::Status Follower::Heartbeat() {
  next_heartbeat_ = absl::Now() + context_.options.poll_interval;
  const StreamState& state = context_.run.state();
  ASSIGN_OR_RETURN(const Lsn source_lsn, SendableLsn(context_.source));
  Lag lag;
  lag.phase = phase_;
  lag.source_lsn = source_lsn;
  // An idle stream's applied position is stored now and then only; what has
  // been received and waits for nothing is applied.
  const std::optional<absl::Time> oldest = context_.run.oldest_pending();
  lag.received_lsn = state.received();
  lag.applied_lsn = state.applied();
  lag.lag_bytes = BytesBetween(
      oldest ? lag.applied_lsn : std::max(lag.applied_lsn, lag.received_lsn),
      source_lsn);
  if (oldest) {
    lag.lag_seconds =
        std::max(0.0, absl::ToDoubleSeconds(absl::Now() - *oldest));
  }
  const ApplyCounts counts = Sum(context_.totals.counts, state.counts());
  lag.transactions = counts.transactions;
  lag.changes = Changes(counts);
  lag.waiting_for = waiting_for_;
  context_.events.OnEvent(lag);
  RETURN_IF_ERROR(
      context_.ledger.SetHeartbeat({.source_lsn = lag.source_lsn,
                                    .received_lsn = lag.received_lsn,
                                    .lag_bytes = lag.lag_bytes,
                                    .lag_seconds = lag.lag_seconds,
                                    .waiting_for = lag.waiting_for}));
  is_near_ = lag.lag_bytes <= context_.options.lag_threshold_bytes;
  if (!caught_up_ && phase_ == Phase::kFollow && is_near_) {
    caught_up_ = true;
    if (std::exchange(context_.totals.caught_up, true)) return absl::OkStatus();
    context_.events.OnEvent(
        CaughtUp{.applied_lsn = lag.applied_lsn, .lag_bytes = lag.lag_bytes});
  }
  return absl::OkStatus();
}

}  // namespace walferry
