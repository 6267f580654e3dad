#ifndef ENGINE_VERIFY_ONLINE_PAIR_H_
#define ENGINE_VERIFY_ONLINE_PAIR_H_

// The states of two databases between which a stream runs.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"
#include "engine/stream/meeting.h"
#include "engine/stream/meeting_request.h"
#include "engine/verify/snapshot_pair.h"

namespace walferry {

// Gives states of now, however long that takes.
using MeetFunction =
    std::function<absl::StatusOr<std::unique_ptr<HeldStates>>()>;

// How a running migration is asked for them: waits are told as notices.
AskOptions AskingFor(const Endpoints& endpoints, const Control& control,
                     EventSink& events);

class OnlinePair : public SnapshotPair {
 public:
  // Meets for the first time. The states expire when they are older than
  // `max_age`.
  static absl::StatusOr<std::unique_ptr<OnlinePair>> Create(
      Endpoints endpoints, MeetFunction meet, absl::Duration max_age);

  absl::StatusOr<SessionPair> Open(const Interrupt* interrupt) override;
  void Close(SessionPair /*sessions*/) override {}
  absl::Status Check() override;
  int most_sessions() const override;
  const std::vector<std::string>& remarks() const override { return remarks_; }
  bool renewable() const override { return true; }
  bool expired() override;
  absl::Status Renew() override;
  std::optional<PairMoment> moment() override;

 private:
  OnlinePair(Endpoints endpoints, MeetFunction meet, absl::Duration max_age)
      : endpoints_(std::move(endpoints)),
        meet_(std::move(meet)),
        max_age_(max_age) {}

  const Endpoints endpoints_;
  const MeetFunction meet_;
  const absl::Duration max_age_;
  const std::vector<std::string> remarks_;
  absl::Mutex mutex_;
  std::unique_ptr<HeldStates> states_ ABSL_GUARDED_BY(mutex_);
  PairMoment moment_ ABSL_GUARDED_BY(mutex_){.taken = 0};
};

}  // namespace walferry

#endif  // ENGINE_VERIFY_ONLINE_PAIR_H_
