#ifndef TOOLS_ONLINE_PROOF_H_
#define TOOLS_ONLINE_PROOF_H_

// --verify of an online migration: both sides are compared while it follows,
// as `walferry verify --online` compares them, and there is no cutover of what
// is not equal.

#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "engine/control.h"
#include "engine/event.h"
#include "engine/migration_proof.h"
#include "engine/options.h"
#include "engine/verify/verification.h"
#include "tools/engine_calls.h"
#include "tools/option_values.h"

namespace walferry {

class OnlineProof : public MigrationProof {
 public:
  // `engine` outlives it. kCounts or kChecksum. Of several migrations at most
  // `at_once` are compared, and the others wait.
  OnlineProof(const EngineCalls& engine, VerifyMethod method,
              const MigrateOptions& migrate, int at_once);

  VerifyMethod method() const override { return options_.method; }
  absl::StatusOr<ProofFound> Compare(const Endpoints& endpoints,
                                     Control& control,
                                     EventSink& events) override;

 private:
  absl::Status AwaitTurn(const Control& control);
  void GiveBackTurn();

  const EngineCalls& engine_;
  VerifyOptions options_;
  absl::Mutex mutex_;
  int turns_ ABSL_GUARDED_BY(mutex_);
};

// What --verify asks for, as migrate.proof; null: the migration is none, or
// nothing is compared.
std::unique_ptr<OnlineProof> BindOnlineProof(const OptionValues& values,
                                             const EngineCalls& engine,
                                             MigrateOptions& migrate);

}  // namespace walferry

#endif  // TOOLS_ONLINE_PROOF_H_
