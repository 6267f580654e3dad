#include "tests/differential/walferry_replica.h"

#include "absl/strings/str_cat.h"
#include "protocol/status.h"
#include "tests/testing/sql.h"

namespace walferry {

ReplicaOptions DrawReplicaOptions(bool sets, Dice& dice) {
  ReplicaOptions options;
  options.applier.sets = sets;
  options.applier.min_set_changes = dice.OneOf<size_t>({1, 1, 2, 16});
  options.applier.min_changes_per_apart = dice.OneOf<size_t>({1, 2, 4, 16});
  options.applier.min_copy_rows = dice.OneOf<size_t>({1, 2, 20, 500});
  options.applier.pipeline_bytes =
      dice.OneOf<size_t>({1, 1000, size_t{64} << 10, size_t{8} << 20});
  // The first cuts transactions between any two changes.
  options.batch_bytes =
      dice.OneOf<size_t>({1, 2000, 20'000, 200'000, size_t{16} << 20});
  options.hand_on_percent = dice.OneOf<int>({0, 0, 5, 30});
  return options;
}

std::string ToText(const ReplicaOptions& options) {
  return absl::StrCat(
      "sets ", options.applier.sets, ", min_set_changes ",
      options.applier.min_set_changes, ", min_changes_per_apart ",
      options.applier.min_changes_per_apart, ", min_copy_rows ",
      options.applier.min_copy_rows, ", pipeline_bytes ",
      options.applier.pipeline_bytes, ", batch_bytes ", options.batch_bytes,
      ", hand_on_percent ", options.hand_on_percent);
}

absl::StatusOr<std::unique_ptr<WalferryReplica>> WalferryReplica::Open(
    const std::string& conninfo, const ReplicaOptions& options, Dice dice) {
  ASSIGN_OR_RETURN(SqlConnection connection, SqlConnection::Open(conninfo));
  RETURN_IF_ERROR(connection.Exec(
      absl::StrCat("CREATE SCHEMA walferry; ", StreamTableSql("walferry"))));
  ASSIGN_OR_RETURN(const std::string name,
                   connection.QueryValue("SELECT current_database()"));
  std::unique_ptr<WalferryReplica> replica(new WalferryReplica(options, dice));
  ASSIGN_OR_RETURN(replica->session_,
                   ApplySession::Open({.target = {.conninfo = conninfo,
                                                  .client_encoding = "UTF8"},
                                       .identity = {.name = name,
                                                    .system_identifier = "1",
                                                    .slot = name,
                                                    .dbname = "source"}}));
  replica->applier_ = MakeBatchApplier(*replica->session_, options.applier);
  replica->builder_ = std::make_unique<BatchBuilder>(BatchBuilderOptions{
      .batch_bytes = options.batch_bytes,
      .gate = [](const SourceRelation&) { return RelationPolicy{}; }});
  return replica;
}

absl::Status WalferryReplica::Apply(const std::vector<std::string>& messages) {
  for (const std::string& message : messages) {
    RETURN_IF_ERROR(builder_->Take(message));
    if (builder_->full() || (builder_->HasWholeTransactions() &&
                             dice_.Chance(options_.hand_on_percent))) {
      RETURN_IF_ERROR(HandOn());
    }
  }
  return HandOn();
}

absl::Status WalferryReplica::HandOn() {
  const std::unique_ptr<ChangeBatch> batch = builder_->TakeBatch();
  ASSIGN_OR_RETURN(const ApplyCounts counts, applier_->Apply(*batch));
  counts_ = Sum(counts_, counts);
  return absl::OkStatus();
}

}  // namespace walferry
