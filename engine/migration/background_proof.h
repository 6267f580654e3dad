#ifndef ENGINE_MIGRATION_BACKGROUND_PROOF_H_
#define ENGINE_MIGRATION_BACKGROUND_PROOF_H_

// A comparison of source and target that goes on while the migration's thread
// watches over the stream.

#include <optional>
#include <string>
#include <thread>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/migration_proof.h"
#include "engine/options.h"

namespace walferry {

// Used by one thread.
class BackgroundProof {
 public:
  // Begins. What it is given outlives it.
  BackgroundProof(MigrationProof& proof, const Endpoints& endpoints);
  // Gives the comparison up if it has not ended.
  ~BackgroundProof();

  // Once it has ended.
  std::optional<absl::StatusOr<ProofFound>> found() const;
  // "source and target to be compared: 3 of 12 tables".
  std::string waiting_for() const;
  // Until it ended, or until now.
  absl::Duration elapsed() const;

 private:
  void Run(MigrationProof& proof, const Endpoints& endpoints);

  const absl::Time begun_ = absl::Now();
  Control control_;
  mutable absl::Mutex mutex_;
  Progress progress_ ABSL_GUARDED_BY(mutex_);
  absl::Time ended_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteFuture();
  std::optional<absl::StatusOr<ProofFound>> found_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace walferry

#endif  // ENGINE_MIGRATION_BACKGROUND_PROOF_H_
