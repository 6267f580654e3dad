#ifndef ENGINE_SERVER_CUTOVER_ROUND_H_
#define ENGINE_SERVER_CUTOVER_ROUND_H_

// The databases of a move cut over together (engine/ledger/joint_cutover.h):
// when all that are not done have caught up and it is asked for, a round
// begins, and all of them agree to its end, or none. Whoever failed behind it
// cuts over in the next round, with whoever is left.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/ledger/joint_cutover.h"
#include "engine/ledger/ledger.h"
#include "engine/options.h"

namespace walferry {

// Thread-safe.
class CutoverRound {
 public:
  using NoteFreeze = std::function<absl::Status(const std::string& database,
                                                const LedgerObject& freeze)>;

  // `control` outlives it. kAuto: asked for all the time, but for `pause`
  // behind a round that took too long.
  // `note_freeze`: JointCutover::NoteFreeze of that database; may be empty.
  CutoverRound(const std::vector<std::string>& databases, CutoverMode mode,
               absl::Duration pause, Control& control,
               NoteFreeze note_freeze = nullptr);
  ~CutoverRound();

  // For the migration of the database of that place.
  JointCutover& Of(size_t place);
  // That migration has ended, and comes back only by another run.
  void End(size_t place, const absl::Status& status);

  // Whether to stop splits nothing: no database is between the vote and its
  // end. After a yes no further round comes to a vote.
  bool MayStop();

  // Whether the ledger of the whole asks for the cutover.
  void SetAskedInLedger(bool asked);

  struct View {
    int64_t remaining = 0;  // Databases that are not done.
    int64_t caught_up = 0;  // Of these.
    bool open = false;      // A round is on its way.
    // "" or "databases to catch up: a, b".
    std::string waiting_for;
    // "" or "database c, which has failed".
    std::string failed;
  };
  View Look() const;

  enum class Then {
    kByItself,    // The next round begins as soon as that is possible.
    kWhenAsked,   // Who wants it asks again.
    kWhenMended,  // Not in this run: a database has failed.
  };
  struct GivenUp {
    std::string why;
    Then then = Then::kByItself;
  };
  // A round that was given up and that all have left, or a request that cannot
  // be fulfilled, since the last call.
  std::optional<GivenUp> TakeGivenUp();

 private:
  class Member;
  enum class State {
    kAway,       // Does not follow, or has not caught up.
    kReady,      // Follows and could begin.
    kIn,         // Is in the round that is open, or was given up just now.
    kCommitted,  // There is no way back.
    kDone,
    kFailed,  // In this run.
  };

  absl::StatusOr<bool> Begins(Member& member, bool ready);
  absl::Status Check(Member& member);
  absl::StatusOr<bool> Agree(
      Member& member, JointStep step, bool yes,
      absl::FunctionRef<absl::StatusOr<bool>(const std::string& who)> wait);
  void Leave(Member& member, const absl::Status& why);

  bool Asked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OpenIfDue() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveUpOf(const Member& member, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void GiveUp(std::string why, Then then) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string HowToMend() const;
  absl::Status CheckLocked(const Member& member)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Count(JointStep step) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t NumberOf(State state) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int64_t Remaining() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string FailedDatabases() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string NamesOf(State state) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string MissingAtStep() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const CutoverMode mode_;
  const absl::Duration pause_;
  Control& control_;
  const NoteFreeze note_freeze_;

  mutable absl::Mutex mutex_;
  std::vector<std::unique_ptr<Member>> members_ ABSL_GUARDED_BY(mutex_);
  bool asked_in_ledger_ ABSL_GUARDED_BY(mutex_) = false;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  // Counts rounds; a member that is in an earlier one has to leave it.
  int64_t round_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t size_ ABSL_GUARDED_BY(mutex_) = 0;  // Of the round.
  // Counts the steps that all have come to.
  int64_t steps_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t arrived_ ABSL_GUARDED_BY(mutex_) = 0;
  bool all_yes_ ABSL_GUARDED_BY(mutex_) = true;
  bool result_ ABSL_GUARDED_BY(mutex_) = false;  // Of the last such step.
  absl::Time not_before_ ABSL_GUARDED_BY(mutex_) = absl::InfinitePast();
  std::string why_ ABSL_GUARDED_BY(mutex_);  // The last was given up.
  std::optional<GivenUp> news_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace walferry

#endif  // ENGINE_SERVER_CUTOVER_ROUND_H_
