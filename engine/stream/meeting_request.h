#ifndef ENGINE_STREAM_MEETING_REQUEST_H_
#define ENGINE_STREAM_MEETING_REQUEST_H_

// How another process asks the one that runs a migration for a meeting
// (engine/stream/meeting.h): by a row in the ledger's table meeting, which it
// renews as long as it waits. The answer is in the same row. Whoever is silent
// for kAskersPatience is taken for dead.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/ledger/ledger_sql.h"
#include "engine/options.h"
#include "engine/stream/meeting.h"
#include "protocol/pg_connection.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

inline constexpr absl::Duration kAskersPatience = absl::Seconds(20);

struct MeetingRequest {
  enum class State { kAsked, kMet, kFailed };
  std::string id;
  State state = State::kAsked;
  bool holds_appliers = false;
  bool silent = false;      // Its asker is.
  std::string waiting_for;  // While it is kAsked.
  std::string failure;      // Of kFailed.
  MetStates met;            // Of kMet, but for the time.
};

// The rows, over a session of the target, which outlives it.
class MeetingRequests {
 public:
  MeetingRequests(PgConnection& target, LedgerKey key);

  absl::Status Ask(const std::string& id, bool holds_appliers);
  absl::Status Renew(const std::string& id);
  absl::Status Withdraw(const std::string& id);

  absl::StatusOr<std::vector<MeetingRequest>> All();
  absl::StatusOr<std::optional<MeetingRequest>> Find(const std::string& id);
  // Nothing happens to a request that is not there any more.
  absl::Status SetWaiting(const std::string& id, absl::string_view what);
  absl::Status SetMet(const std::string& id, const MetStates& met);
  absl::Status SetFailed(const std::string& id, absl::string_view why);

 private:
  std::string Of(const std::string& id) const;
  absl::StatusOr<std::vector<MeetingRequest>> Read(const std::string& where);

  PgConnection& target_;
  const LedgerKey key_;
  const std::string table_;
};

struct AskOptions {
  Endpoints endpoints;
  const Interrupt* interrupt = nullptr;
  bool holds_appliers = false;
  // For an answer.
  absl::Duration wait = absl::Minutes(10);
  // The process may be away for so long: it pauses between two attempts.
  absl::Duration process_grace = absl::Seconds(40);
  // Told once of each thing that is waited for; may be empty.
  std::function<void(const std::string&)> on_wait;
};

// States that another process has met for us. They are held by sessions of
// ours, so they last as long as this process does, whatever becomes of the
// other one; only appliers that are held need it, and signs of life from here,
// which a thread gives.
class AskedStates {
 public:
  // `options` are what was asked with.
  AskedStates(const AskOptions& options, std::string id,
              std::unique_ptr<HeldStates> states);
  ~AskedStates();  // Withdraws the request: the appliers go on.

  const std::string& id() const { return id_; }
  HeldStates& states() { return *states_; }
  std::unique_ptr<HeldStates> TakeStates() { return std::move(states_); }

  // Of held appliers: whether they are known to stand. kUnavailable: the
  // process that held them has let them go on, or is gone, or it takes too long
  // (why), and so forever after. To know that they still stand when something
  // is committed is another matter.
  absl::Status Renew();
  // Raised when Renew() would fail, within a second or two.
  const Interrupt& over() const { return over_; }
  // How long they have been known to stand.
  absl::Duration stood();

 private:
  absl::Status RenewLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status AskLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepRenewing();

  const Endpoints endpoints_;
  const std::string id_;
  std::unique_ptr<HeldStates> states_;
  const absl::Time begun_ = absl::Now();
  Interrupt over_;
  Interrupt interrupt_;  // Of the session.
  absl::Mutex mutex_;
  std::optional<PgConnection> session_ ABSL_GUARDED_BY(mutex_);
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status why_over_ ABSL_GUARDED_BY(mutex_);
  absl::Time over_at_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::thread renewing_;
};

// kNotFound: no such migration; kFailedPrecondition: nobody runs it, it does
// not follow (yet, or any more), or it is no online migration; kUnavailable: it
// could not meet (why); kDeadlineExceeded.
absl::StatusOr<std::unique_ptr<AskedStates>> AskForMeeting(
    const AskOptions& options);

}  // namespace walferry

#endif  // ENGINE_STREAM_MEETING_REQUEST_H_
