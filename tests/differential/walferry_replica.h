#ifndef TESTS_DIFFERENTIAL_WALFERRY_REPLICA_H_
#define TESTS_DIFFERENTIAL_WALFERRY_REPLICA_H_

// A database to which walferry applies a stream.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apply/applier.h"
#include "apply/apply_session.h"
#include "apply/batch_applier.h"
#include "engine/stream/batch_builder.h"
#include "tests/differential/dice.h"

namespace walferry {

struct ReplicaOptions {
  BatchApplierOptions applier;
  size_t batch_bytes = 0;
  // How often whole transactions are handed on before a batch is full.
  int hand_on_percent = 0;
};

ReplicaOptions DrawReplicaOptions(bool sets, Dice& dice);
std::string ToText(const ReplicaOptions& options);

class WalferryReplica {
 public:
  // The database has the tables.
  static absl::StatusOr<std::unique_ptr<WalferryReplica>> Open(
      const std::string& conninfo, const ReplicaOptions& options, Dice dice);

  // Applies pgoutput messages, up to the end of a transaction.
  absl::Status Apply(const std::vector<std::string>& messages);

  const ApplyCounts& counts() const { return counts_; }
  int64_t fallbacks() const { return applier_->fallbacks(); }

 private:
  WalferryReplica(const ReplicaOptions& options, Dice dice)
      : options_(options), dice_(dice) {}
  absl::Status HandOn();

  const ReplicaOptions options_;
  Dice dice_;
  std::unique_ptr<ApplySession> session_;
  std::unique_ptr<Applier> applier_;
  std::unique_ptr<BatchBuilder> builder_;
  ApplyCounts counts_;
};

}  // namespace walferry

#endif  // TESTS_DIFFERENTIAL_WALFERRY_REPLICA_H_
