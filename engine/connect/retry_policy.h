#ifndef ENGINE_CONNECT_RETRY_POLICY_H_
#define ENGINE_CONNECT_RETRY_POLICY_H_

// When a failed run is tried again, and when it is given up: the whole policy
// is here. What is tried again is always a whole attempt, which finds its place
// in the ledger; nothing retries inside one.

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/event.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// Whether waiting may help: a lost or refused connection, a server that starts
// or stops, a deadlock, exhausted resources. Everything else is for a person.
bool IsRetriable(const absl::Status& status);

// Whether the same call later goes on where this one stopped: it was told to
// stop, or it has given up what waiting may help. Not so after kInternal,
// kDataLoss and what is for a person.
bool IsResumable(const absl::Status& status);

// Back-off between the attempts of one run: 0.2 s, doubled up to 10 s.
class RetryPolicy {
 public:
  // Gives up once attempts have failed for `retry_for` without progress.
  RetryPolicy(absl::Duration retry_for, const Interrupt& interrupt,
              EventSink& events)
      : retry_for_(retry_for), interrupt_(interrupt), events_(events) {}

  // Tells of the error and waits. OK: try again. Otherwise the error to end
  // with: `error` itself if it is not retriable, `error` with the time spent
  // if it has lasted too long, kCancelled if told to stop.
  absl::Status WaitAfter(const absl::Status& error);

  // The attempt got somewhere: the next failure starts a new back-off.
  void NoteProgress() { failing_since_ = absl::InfiniteFuture(); }

 private:
  absl::Duration retry_for_;
  const Interrupt& interrupt_;
  EventSink& events_;
  absl::Time failing_since_ = absl::InfiniteFuture();
  absl::Duration delay_;
};

}  // namespace walferry

#endif  // ENGINE_CONNECT_RETRY_POLICY_H_
