#include "apply/exact_applier.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "apply/change_shape.h"
#include "apply/conflict_facts.h"
#include "apply/statement.h"
#include "apply/statement_cache.h"
#include "apply/table_cache.h"
#include "apply/target_transaction.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Server memory of about 10 to 50 kB each.
constexpr size_t kMaxPreparedShapes = 1000;

// The target's table is no longer as it was when its statements were made:
// undefined column or table, another type, a plan whose result has changed, a
// column that became generated.
bool MeansAlteredTable(absl::string_view sqlstate) {
  return sqlstate == "42703" || sqlstate == "42P01" || sqlstate == "42804" ||
         sqlstate == "0A000" || sqlstate == "428C9";
}

// Neither time nor another connection heals it.
bool NeedsOperator(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kPermissionDenied:
      return false;
    default:
      return true;
  }
}

// kFailedPrecondition instead of what the SQLSTATE alone would say.
absl::Status ForOperator(const absl::Status& status) {
  if (!NeedsOperator(status.code())) return status;
  absl::Status result(absl::StatusCode::kFailedPrecondition, status.message());
  status.ForEachPayload([&](absl::string_view url, const absl::Cord& payload) {
    result.SetPayload(url, payload);
  });
  return result;
}

PgParam ParamOf(const Column& column) {
  switch (column.kind) {
    case ColumnKind::kNull:
    case ColumnKind::kUnchanged:
      return {};
    case ColumnKind::kText:
    case ColumnKind::kBinary:
      return {.data = column.value.data(),
              .size = static_cast<int>(column.value.size()),
              .binary = column.kind == ColumnKind::kBinary};
  }
  return {};
}

ApplyCounts CountsOf(const ChangeBatch& batch) {
  ApplyCounts counts;
  for (const Change& change : batch.changes()) {
    switch (change.kind) {
      case ChangeKind::kInsert:
        ++counts.inserts;
        break;
      case ChangeKind::kUpdate:
        ++counts.updates;
        break;
      case ChangeKind::kDelete:
        ++counts.deletes;
        break;
      case ChangeKind::kTruncate:
        ++counts.truncates;
        break;
    }
  }
  counts.transactions = static_cast<int64_t>(batch.transactions().size()) -
                        (batch.open() ? 1 : 0);
  return counts;
}

class ExactApplier final : public Applier {
 public:
  ExactApplier(ApplySession& session, const ExactApplierOptions& options)
      : reached_(session.position()),
        transaction_(session, options.pipeline_bytes),
        tables_(session.connection()),
        statements_(session, kMaxPreparedShapes) {}

  absl::StatusOr<ApplyCounts> Apply(const ChangeBatch& batch) override;
  absl::Status Advance(Lsn position) override;
  const std::optional<Conflict>& conflict() const override { return conflict_; }

 private:
  // What a result belongs to. Small, so that callbacks allocate nothing.
  struct Part {
    uint32_t change = 0;  // Index in the batch.
    bool first = true;    // Of the change's statements.
    bool last = true;
  };

  absl::Status CheckUsable() const;
  absl::Status CheckOrder(const ChangeBatch& batch) const;
  absl::Status Attempt(const ChangeBatch& batch, const ApplyCounts& counts);
  absl::Status LoadTables(const ChangeBatch& batch);
  absl::Status SendChanges(const ChangeBatch& batch);
  absl::Status SendRow(const ChangeBatch& batch, size_t index);
  absl::Status SendTruncate(const Change& change);
  absl::Status CheckTouched(Part part, int64_t rows);
  bool MayBeStale(const absl::Status& status) const;
  // The change that `status` is about, if it is about one.
  std::optional<size_t> FailedChange() const;
  absl::Status Explain(const absl::Status& status);

  Lsn reached_;  // The end of the last transaction taken, or the position.
  TargetTransaction transaction_;
  TableCache tables_;
  StatementCache statements_;
  ApplyCounts uncommitted_;  // Of the batches before, in the open transaction.
  bool failed_ = false;
  std::optional<Conflict> conflict_;

  // Of the attempt that is under way.
  const ChangeBatch* batch_ = nullptr;
  std::vector<int64_t> first_statement_;  // Of each change, in the pipeline.
  std::optional<size_t> current_change_;  // Being loaded or sent.
  int64_t touched_ = 0;                   // Rows, by the change's statements.
  std::string conflict_type_;             // If a row count is wrong.
  std::vector<PgParam> params_;           // Kept for its memory.
};

absl::StatusOr<ApplyCounts> ExactApplier::Apply(const ChangeBatch& batch) {
  RETURN_IF_ERROR(CheckUsable());
  if (batch.empty()) return ApplyCounts{};
  RETURN_IF_ERROR(CheckOrder(batch));
  const ApplyCounts counts = CountsOf(batch);
  const bool fresh = !transaction_.open();
  absl::Status status = Attempt(batch, counts);
  if (fresh && MayBeStale(status)) {
    transaction_.Abandon();
    tables_.Clear();
    statements_.Clear();
    status = Attempt(batch, counts);
  }
  if (!status.ok()) {
    failed_ = true;
    const absl::Status explained = Explain(status);
    transaction_.Abandon();
    return explained;
  }
  uncommitted_ = batch.open() ? Sum(uncommitted_, counts) : ApplyCounts{};
  reached_ = std::max(reached_, batch.end_lsn());
  return counts;
}

absl::Status ExactApplier::Advance(Lsn position) {
  RETURN_IF_ERROR(CheckUsable());
  if (transaction_.open()) {
    return absl::InternalError("the position cannot move inside a transaction");
  }
  if (position <= reached_) return absl::OkStatus();
  absl::Status status = transaction_.Begin();
  if (status.ok()) status = transaction_.Commit({.position = position});
  if (!status.ok()) {
    failed_ = true;
    transaction_.Abandon();
    return status;
  }
  reached_ = position;
  return absl::OkStatus();
}

absl::Status ExactApplier::CheckUsable() const {
  if (!failed_) return absl::OkStatus();
  return absl::FailedPreconditionError("the applier has failed before");
}

absl::Status ExactApplier::CheckOrder(const ChangeBatch& batch) const {
  Lsn reached = reached_;
  for (const BatchTransaction& transaction : batch.transactions()) {
    if (!transaction.complete) continue;
    if (transaction.end_lsn <= reached) {
      return absl::InternalError(
          absl::StrCat("transaction ", transaction.xid, " ends at ",
                       transaction.end_lsn.ToString(), ", not beyond ",
                       reached.ToString(), " where the target is already"));
    }
    reached = transaction.end_lsn;
  }
  return absl::OkStatus();
}

absl::Status ExactApplier::Attempt(const ChangeBatch& batch,
                                   const ApplyCounts& counts) {
  batch_ = &batch;
  first_statement_.clear();
  current_change_.reset();
  conflict_type_.clear();
  RETURN_IF_ERROR(LoadTables(batch));
  RETURN_IF_ERROR(transaction_.Begin());
  const absl::Status sent = SendChanges(batch);
  if (!sent.ok()) {
    // What the server has to say of an earlier change comes first.
    RETURN_IF_ERROR(transaction_.pipeline().Sync());
    return sent;
  }
  current_change_.reset();
  RETURN_IF_ERROR(batch.open() ? transaction_.Suspend()
                               : transaction_.Commit(
                                     {.position = batch.end_lsn(),
                                      .commit_time = batch.commit_time(),
                                      .counts = Sum(uncommitted_, counts)}));
  statements_.Confirm();
  return absl::OkStatus();
}

absl::Status ExactApplier::LoadTables(const ChangeBatch& batch) {
  tables_.StartBatch();
  const SourceRelation* previous = nullptr;
  for (size_t index = 0; index < batch.changes().size(); ++index) {
    current_change_ = index;
    const Change& change = batch.changes()[index];
    if (change.kind == ChangeKind::kTruncate) {
      for (const SourceRelation* relation : change.truncated) {
        RETURN_IF_ERROR(tables_.Load(*relation).status());
      }
    } else if (change.relation != previous) {
      previous = change.relation;
      if (tables_.Find(*previous) != nullptr) continue;
      RETURN_IF_ERROR(tables_.Load(*previous).status());
    }
  }
  current_change_.reset();
  return absl::OkStatus();
}

absl::Status ExactApplier::SendChanges(const ChangeBatch& batch) {
  first_statement_.reserve(batch.changes().size());
  for (size_t index = 0; index < batch.changes().size(); ++index) {
    current_change_ = index;
    first_statement_.push_back(transaction_.pipeline().sent());
    const Change& change = batch.changes()[index];
    RETURN_IF_ERROR(change.kind == ChangeKind::kTruncate
                        ? SendTruncate(change)
                        : SendRow(batch, index));
  }
  return absl::OkStatus();
}

absl::Status ExactApplier::SendRow(const ChangeBatch& batch, size_t index) {
  const Change& change = batch.changes()[index];
  const std::shared_ptr<const TableMapping> table =
      tables_.Find(*change.relation);
  ASSIGN_OR_RETURN(const ChangeShape shape, ShapeOf(*table, change));
  PgPipeline& pipeline = transaction_.pipeline();
  ASSIGN_OR_RETURN(const std::vector<PreparedStatement>* statements,
                   statements_.Get(pipeline, table, shape));
  for (const PreparedStatement& statement : *statements) {
    params_.clear();
    for (const StatementParameter& parameter : statement.parameters) {
      params_.push_back(ParamOf(parameter.old_row
                                    ? change.old_row[parameter.column]
                                    : change.row[parameter.column]));
    }
    const Part part = {.change = static_cast<uint32_t>(index),
                       .first = &statement == &statements->front(),
                       .last = &statement == &statements->back()};
    RETURN_IF_ERROR(pipeline.SendPrepared(
        statement.name, params_, [this, part](const PgResult& result) {
          return CheckTouched(part, result.affected_rows());
        }));
  }
  return absl::OkStatus();
}

absl::Status ExactApplier::SendTruncate(const Change& change) {
  std::vector<std::shared_ptr<const TableMapping>> mappings;
  std::vector<const TargetTable*> tables;
  for (const SourceRelation* relation : change.truncated) {
    mappings.push_back(tables_.Find(*relation));
    tables.push_back(&mappings.back()->target);
  }
  if (tables.empty()) return absl::OkStatus();
  return transaction_.pipeline().Send(
      BuildTruncate(tables, change.restart_identity));
}

absl::Status ExactApplier::CheckTouched(Part part, int64_t rows) {
  touched_ = part.first ? rows : touched_ + rows;
  if (!part.last || touched_ == 1) return absl::OkStatus();
  const ChangeKind kind = batch_->changes()[part.change].kind;
  if (touched_ > 1) {
    return absl::FailedPreconditionError(
        absl::StrCat("it would touch ", touched_, " rows of the target"));
  }
  if (kind == ChangeKind::kInsert) {
    return absl::FailedPreconditionError(
        "a trigger of the target kept the row from being inserted");
  }
  conflict_type_ =
      kind == ChangeKind::kUpdate ? "update_missing" : "delete_missing";
  return WithHint(
      absl::FailedPreconditionError("the target has no such row"),
      "compare the row on both sides; a trigger of the target that is enabled "
      "ALWAYS or REPLICA and suppresses the change looks the same");
}

// A table's catalog entries were read long ago and may have changed since.
bool ExactApplier::MayBeStale(const absl::Status& status) const {
  if (status.ok()) return false;
  const std::string sqlstate = SqlStateOf(status);
  if (!sqlstate.empty()) return MeansAlteredTable(sqlstate);
  return status.code() == absl::StatusCode::kFailedPrecondition &&
         !first_statement_.empty() &&
         transaction_.pipeline().failed_index() < 0;
}

std::optional<size_t> ExactApplier::FailedChange() const {
  const int64_t statement = transaction_.pipeline().failed_index();
  if (first_statement_.empty() || statement < 0) return current_change_;
  const int64_t commit = transaction_.commit_index();
  if (commit >= 0 && statement >= commit) return std::nullopt;
  const auto next = std::upper_bound(first_statement_.begin(),
                                     first_statement_.end(), statement);
  if (next == first_statement_.begin()) return std::nullopt;
  return static_cast<size_t>(next - first_statement_.begin()) - 1;
}

absl::Status ExactApplier::Explain(const absl::Status& status) {
  if (status.code() == absl::StatusCode::kUnavailable ||
      status.code() == absl::StatusCode::kCancelled) {
    return status;
  }
  const std::optional<size_t> change = FailedChange();
  if (!change.has_value()) {
    return ForOperator(Annotate(
        status, absl::StrCat("commit at ", batch_->end_lsn().ToString())));
  }
  const absl::Status explained =
      Annotate(status, DescribeChange(*batch_, *change));
  if (!NeedsOperator(status.code())) return explained;
  conflict_ = ConflictOf(*batch_, *change, status, conflict_type_);
  return ForOperator(explained);
}

}  // namespace

std::unique_ptr<Applier> MakeExactApplier(ApplySession& session,
                                          const ExactApplierOptions& options) {
  return std::make_unique<ExactApplier>(session, options);
}

}  // namespace walferry
