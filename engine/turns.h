#ifndef ENGINE_TURNS_H_
#define ENGINE_TURNS_H_

// Whose turn it is where several migrations share two servers.

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protocol/pg_interrupt.h"

namespace walferry {

// What a migration does for long on one of the servers. It never asks for one
// while it has the other, so nobody waits in a circle.
enum class Work {
  // The source's rows: offline from the first session to the last row, online
  // from the slot on.
  kRead,
  kBuild,    // The target's indexes, constraints and views, and its statistics.
  kCompare,  // Both sides, row by row or by their numbers.
};

// Thread-safe.
class Turns {
 public:
  virtual ~Turns() = default;

  // Returns when it is the caller's turn. kCancelled: the interrupt was raised.
  virtual absl::Status Await(Work work, const Interrupt& interrupt) = 0;
  virtual void GiveBack(Work work) = 0;
};

// A turn that is given back when it is destroyed. Movable.
class Turn {
 public:
  // `turns` outlives it; null: nobody else is there.
  static absl::StatusOr<Turn> Take(Turns* turns, Work work,
                                   const Interrupt& interrupt) {
    if (turns != nullptr) {
      if (absl::Status status = turns->Await(work, interrupt); !status.ok()) {
        return status;
      }
    }
    return Turn(turns, work);
  }
  Turn(Turn&& other) noexcept
      : turns_(std::exchange(other.turns_, nullptr)), work_(other.work_) {}
  Turn& operator=(Turn&&) = delete;
  ~Turn() {
    if (turns_ != nullptr) turns_->GiveBack(work_);
  }

 private:
  Turn(Turns* turns, Work work) : turns_(turns), work_(work) {}

  Turns* turns_;
  Work work_;
};

}  // namespace walferry

#endif  // ENGINE_TURNS_H_
