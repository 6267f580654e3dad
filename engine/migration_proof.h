#ifndef ENGINE_MIGRATION_PROOF_H_
#define ENGINE_MIGRATION_PROOF_H_

// Whether the target of a running migration holds what its source holds.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/comparison.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/options.h"

namespace walferry {

struct ProofFound {
  // kEqual, kDifferent, or kUnknown: something could not be read.
  ComparisonResult::State state = ComparisonResult::State::kUnknown;
  absl::Duration took;  // Without what it waited for others.
  std::string text;  // What was found, as a clause: "all 12 tables are equal".
};

class MigrationProof {
 public:
  virtual ~MigrationProof() = default;

  virtual VerifyMethod method() const = 0;

  // Compares both sides of the migration of `endpoints`, which follows, at one
  // position. Asks the migration for it as `walferry verify --online` does, so
  // not by the thread that runs it. Ends soon after `control` is told to stop.
  // An error: nobody knows. Thread-safe: several migrations may have one.
  virtual absl::StatusOr<ProofFound> Compare(const Endpoints& endpoints,
                                             Control& control,
                                             EventSink& events) = 0;
};

}  // namespace walferry

#endif  // ENGINE_MIGRATION_PROOF_H_
