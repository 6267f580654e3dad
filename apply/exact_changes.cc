#include "apply/exact_changes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Server memory of about 10 to 50 kB each.
constexpr size_t kMaxPreparedShapes = 1000;

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

}  // namespace

ExactChanges::ExactChanges(ApplySession& session,
                           TargetTransaction& transaction,
                           const TableCache& tables, AppliedCounts& applied)
    : transaction_(transaction),
      tables_(tables),
      applied_(applied),
      statements_(session, kMaxPreparedShapes) {}

void ExactChanges::Start(const ChangeBatch& batch) {
  batch_ = &batch;
  sent_.clear();
  current_change_.reset();
  conflict_type_.clear();
}

absl::Status ExactChanges::Send(size_t first, size_t last) {
  for (size_t index = first; index < last; ++index) {
    current_change_ = index;
    sent_.push_back(
        {.statement = transaction_.pipeline().sent(), .change = index});
    const ChangeKind kind = batch_->changes()[index].kind;
    RETURN_IF_ERROR(kind == ChangeKind::kTruncate ? SendTruncate(index)
                                                  : SendRow(index));
  }
  current_change_.reset();
  sent_.push_back(
      {.statement = transaction_.pipeline().sent(), .change = kNone});
  return absl::OkStatus();
}

std::optional<size_t> ExactChanges::ChangeOf(int64_t index) const {
  const auto next = std::upper_bound(
      sent_.begin(), sent_.end(), index,
      [](int64_t value, const Sent& sent) { return value < sent.statement; });
  if (next == sent_.begin()) return std::nullopt;
  const size_t change = std::prev(next)->change;
  if (change == kNone) return std::nullopt;
  return change;
}

absl::Status ExactChanges::SendRow(size_t index) {
  const Change& change = batch_->changes()[index];
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

absl::Status ExactChanges::SendTruncate(size_t index) {
  const Change& change = batch_->changes()[index];
  std::vector<std::shared_ptr<const TableMapping>> mappings;
  std::vector<const TargetTable*> tables;
  for (const SourceRelation* relation : change.truncated) {
    mappings.push_back(tables_.Find(*relation));
    tables.push_back(&mappings.back()->target);
  }
  if (tables.empty()) return absl::OkStatus();
  return transaction_.pipeline().Send(
      BuildTruncate(tables, change.restart_identity), {},
      [this, index](const PgResult&) {
        for (const SourceRelation* relation :
             batch_->changes()[index].truncated) {
          applied_.Add(relation->name, ChangeKind::kTruncate);
        }
        return absl::OkStatus();
      });
}

absl::Status ExactChanges::CheckTouched(Part part, int64_t rows) {
  touched_ = part.first ? rows : touched_ + rows;
  if (!part.last) return absl::OkStatus();
  const Change& change = batch_->changes()[part.change];
  const ChangeKind kind = change.kind;
  if (touched_ == 1) {
    applied_.Add(change.relation->name, kind);
    return absl::OkStatus();
  }
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

}  // namespace walferry
