#include "engine/stream/stream_reader.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "protocol/overloaded.h"
#include "protocol/pg_time.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Frames between two looks at the clock.
constexpr int kFramesPerLook = 256;
// So much between two moments with nothing to read is a busy stream. Then it is
// read every kNap only: each time the walsender finds its client waiting it
// sends what little it has, and both pay for a wake-up. Up to three times as
// fast (docs/performance.md).
constexpr size_t kBusyBytes = size_t{16} << 10;
// How long a busy stream's transactions are collected though the applier is
// idle: a commit of its own would cost more than they do.
constexpr absl::Duration kCollect = absl::Milliseconds(50);
// How soon a stop, a free applier or a durable commit is noticed.
constexpr absl::Duration kNap = absl::Milliseconds(1);
constexpr absl::Duration kLongNap = absl::Milliseconds(50);
// A durable position is reported at most this often while the stream is busy.
constexpr absl::Duration kReportInterval = absl::Milliseconds(100);
// How often the source is asked for its position while draining.
constexpr absl::Duration kAskInterval = absl::Milliseconds(10);

}  // namespace

absl::Status StreamReader::Run() {
  last_frame_ = last_status_ = last_advance_ = absl::Now();
  RETURN_IF_ERROR(SendStatus(last_status_, /*reply_requested=*/true));
  while (!stopping_.load() && !builder_.reached_until()) {
    now_ = absl::Now();
    RETURN_IF_ERROR(SendStatusIfDue(now_));
    if (meeting_.hold_wanted()) {
      meeting_.StandStill(now_ + kLongNap);
      last_frame_ = absl::Now();
      continue;
    }
    if (!queue_.HasRoom()) {
      queue_.WaitForRoom(now_ + kLongNap);
      last_frame_ = absl::Now();  // It was us who did not listen.
      continue;
    }
    for (int frames = 0; frames < kFramesPerLook; ++frames) {
      if (meeting_.hold_wanted()) break;
      if (!stream_.Ready()) {
        RETURN_IF_ERROR(OnQuiet(now_));
        break;
      }
      ASSIGN_OR_RETURN(const auto bytes, stream_.Next(absl::InfinitePast()));
      if (!bytes) break;
      last_frame_ = now_;
      RETURN_IF_ERROR(TakeFrame(*bytes));
      if (builder_.reached_until() || !queue_.HasRoom()) break;
    }
  }
  if (builder_.reached_until()) RETURN_IF_ERROR(OnUntil());
  return SendStatus(absl::Now(), /*reply_requested=*/false);
}

// The applier has yet to come this far, and the walsender gives up on a client
// that is silent meanwhile.
absl::Status StreamReader::OnUntil() {
  if (!builder_.Empty()) HandOn();
  queue_.Push({.batch = nullptr, .advance = *options_.until});
  while (!stopping_.load()) {
    RETURN_IF_ERROR(SendStatusIfDue(absl::Now()));
    absl::SleepFor(kNap);
  }
  return absl::OkStatus();
}

absl::Status StreamReader::TakeFrame(absl::string_view bytes) {
  bytes_since_quiet_ += bytes.size();
  ASSIGN_OR_RETURN(const Frame frame, DecodeFrame(bytes));
  return std::visit(
      Overloaded{
          [&](const XLogData& data) -> absl::Status {
            RETURN_IF_ERROR(builder_.Take(data.payload));
            state_.SetReceived(builder_.received());
            if (!batch_begin_) batch_begin_ = now_;
            PlaceBarrierIfComplete(builder_.received());
            HandOnIfWanted();
            return absl::OkStatus();
          },
          [&](const Keepalive& keepalive) { return OnKeepalive(keepalive); },
      },
      frame);
}

absl::Status StreamReader::OnKeepalive(const Keepalive& keepalive) {
  wal_end_ = std::max(wal_end_, keepalive.wal_end);
  // All that committed before wal_end has been sent, so it is received; a
  // transaction that is half received ends behind it.
  state_.SetReceived(wal_end_);
  PlaceBarrierIfComplete(wal_end_);
  if (!keepalive.reply_requested) return absl::OkStatus();
  hurry_ = true;
  return SendStatus(absl::Now(), /*reply_requested=*/false);
}

// Nothing to read right now.
absl::Status StreamReader::OnQuiet(absl::Time now) {
  busy_ = std::exchange(bytes_since_quiet_, 0) >= kBusyBytes;
  HandOnIfWanted();
  AdvanceIfIdle(now);
  RETURN_IF_ERROR(CheckLiveness(now));
  if ((Draining() || meeting_.sorting()) &&
      now - last_status_ >= kAskInterval) {
    RETURN_IF_ERROR(SendStatus(now, /*reply_requested=*/true));
  } else if (state_.applied() > reported_ && queue_.Idle()) {
    RETURN_IF_ERROR(SendStatus(now, /*reply_requested=*/false));
  }
  absl::Time deadline = NextDeadline(now);
  if (busy_ || !queue_.Idle()) {
    absl::SleepFor(kNap);
    deadline = absl::InfinitePast();
  }
  ASSIGN_OR_RETURN(const auto bytes, stream_.Next(deadline));
  if (!bytes) return absl::OkStatus();
  while (meeting_.hold_wanted()) {
    meeting_.StandStill(absl::Now() + kLongNap);
    RETURN_IF_ERROR(SendStatusIfDue(absl::Now()));
  }
  last_frame_ = absl::Now();
  return TakeFrame(*bytes);
}

// An idle source has nothing to say, and a client that reports by itself is not
// asked for anything either: half of the time it is waited for a word, and then
// for the answer to a question.
absl::Status StreamReader::CheckLiveness(absl::Time now) {
  const absl::Duration patience = options_.receive_timeout / 2;
  if (now - last_frame_ < patience) return absl::OkStatus();
  if (asked_ <= last_frame_) {
    asked_ = now;
    return SendStatus(now, /*reply_requested=*/true);
  }
  if (now - asked_ < patience) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrCat("nothing heard from the walsender for ",
                   absl::FormatDuration(options_.receive_timeout)));
}

// Stores how far an idle stream has come, so that the source can let go of its
// log, and so that a position on the target is never behind what was reported.
void StreamReader::AdvanceIfIdle(absl::Time now) {
  if (!builder_.Empty() || !queue_.Idle()) return;
  const Lsn stored = std::max(state_.applied(), advancing_to_);
  if (wal_end_ <= stored) return;
  const bool due = now - last_advance_ >= options_.advance_interval;
  if (!due && !hurry_ && !Draining()) return;
  hurry_ = false;
  last_advance_ = now;
  advancing_to_ = wal_end_;
  queue_.Push({.batch = nullptr, .advance = wal_end_});
}

bool StreamReader::Draining() const {
  return state_.drain_to() > state_.applied();
}

absl::Time StreamReader::NextDeadline(absl::Time now) const {
  if (!builder_.Empty()) return now + kNap;
  if (Draining() || meeting_.sorting()) return now + kAskInterval;
  return now + kLongNap;
}

void StreamReader::HandOnIfWanted() {
  if (builder_.full()) {
    HandOn();
  } else if (builder_.HasWholeTransactions() &&
             (!busy_ || now_ - *batch_begin_ >= kCollect) && queue_.Wanted()) {
    HandOn();
  }
}

void StreamReader::HandOn() {
  batch_begin_.reset();
  queue_.Push({.batch = builder_.TakeBatch(), .advance = Lsn()});
}

void StreamReader::OnBegin(const Begin& begin) {
  if (meeting_.CutsBefore(begin)) PlaceBarrier();
}

void StreamReader::PlaceBarrierIfComplete(Lsn complete) {
  if (!meeting_.sorting() || builder_.in_transaction()) return;
  if (meeting_.CutsAt(complete)) PlaceBarrier();
}

// No transaction is half received.
void StreamReader::PlaceBarrier() {
  if (!builder_.Empty()) HandOn();
  queue_.Push(
      {.batch = nullptr, .advance = Lsn(), .barrier = meeting_.barrier()});
}

absl::Status StreamReader::SendStatusIfDue(absl::Time now) {
  const absl::Duration since = now - last_status_;
  if (since >= options_.status_interval ||
      (state_.applied() > reported_ && since >= kReportInterval)) {
    return SendStatus(now, /*reply_requested=*/false);
  }
  return absl::OkStatus();
}

absl::Status StreamReader::SendStatus(absl::Time now, bool reply_requested) {
  last_status_ = now;
  reported_ = state_.applied();
  return stream_.Send({.write = std::max(state_.received(), reported_),
                       .flush = reported_,
                       .apply = reported_,
                       .client_time = ToPgTime(now),
                       .reply_requested = reply_requested});
}

}  // namespace walferry
