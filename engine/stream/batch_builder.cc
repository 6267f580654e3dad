#include "engine/stream/batch_builder.h"

#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "protocol/overloaded.h"
#include "protocol/status.h"

namespace walferry {
namespace {

absl::Status NotAskedFor(absl::string_view message) {
  return absl::UnimplementedError(absl::StrCat(
      "stream: unexpected ", message,
      " message: neither streaming nor two-phase commit was asked for"));
}

}  // namespace

BatchBuilder::BatchBuilder(BatchBuilderOptions options)
    : position_(options.position),
      until_(options.until),
      batch_bytes_(options.batch_bytes),
      gate_(std::move(options.gate)),
      on_begin_(std::move(options.on_begin)),
      batch_(std::make_unique<ChangeBatch>()) {}

absl::Status BatchBuilder::Take(absl::string_view payload) {
  // Visited where it lies: a Message is large.
  const absl::StatusOr<Message> message = DecodeMessage(payload);
  RETURN_IF_ERROR(message.status());
  RETURN_IF_ERROR(order_.Accept(*message));
  return Visit(*message);
}

absl::Status BatchBuilder::Visit(const Message& message) {
  const auto ok = [] { return absl::OkStatus(); };
  return std::visit(
      Overloaded{
          [&](const Begin& begin) { return OnBegin(begin); },
          [&](const Commit& commit) {
            OnCommit(commit);
            return ok();
          },
          [&](const Relation& relation) { return OnRelation(relation); },
          [&](const Insert& insert) { return OnInsert(insert); },
          [&](const Update& update) { return OnUpdate(update); },
          [&](const Delete& message_) { return OnDelete(message_); },
          [&](const Truncate& truncate) { return OnTruncate(truncate); },
          // Facts that applying does not need (worker.c ignores them too).
          [&](const Origin&) { return ok(); },
          [&](const Type&) { return ok(); },
          [&](const LogicalMessage&) { return ok(); },
          [](const StreamStart&) { return NotAskedFor("StreamStart"); },
          [](const StreamStop&) { return NotAskedFor("StreamStop"); },
          [](const StreamCommit&) { return NotAskedFor("StreamCommit"); },
          [](const StreamAbort&) { return NotAskedFor("StreamAbort"); },
          [](const BeginPrepare&) { return NotAskedFor("BeginPrepare"); },
          [](const Prepare&) { return NotAskedFor("Prepare"); },
          [](const CommitPrepared&) { return NotAskedFor("CommitPrepared"); },
          [](const RollbackPrepared&) {
            return NotAskedFor("RollbackPrepared");
          },
          [](const StreamPrepare&) { return NotAskedFor("StreamPrepare"); },
      },
      message);
}

std::unique_ptr<ChangeBatch> BatchBuilder::TakeBatch() {
  std::unique_ptr<ChangeBatch> taken = std::move(batch_);
  batch_ = std::make_unique<ChangeBatch>();
  ++batch_number_;
  if (in_transaction_ && !left_out_) {
    batch_->ContinueTransaction(taken->transactions().back());
  }
  return taken;
}

absl::Status BatchBuilder::OnBegin(const Begin& begin) {
  // A transaction is sent when its commit record starts at or behind the start
  // position, and the same rule divides here (protocol.md 2.2).
  if (until_ && begin.final_lsn >= *until_) {
    reached_until_ = true;
    return absl::OkStatus();
  }
  if (on_begin_) on_begin_(begin);
  begin_ = begin;
  in_transaction_ = true;
  left_out_ = begin.final_lsn < position_;
  if (!left_out_) batch_->BeginTransaction(begin);
  return absl::OkStatus();
}

void BatchBuilder::OnCommit(const Commit& commit) {
  if (!left_out_) batch_->CommitTransaction(commit);
  in_transaction_ = false;
  received_ = commit.end_lsn;
}

absl::Status BatchBuilder::OnRelation(const Relation& message) {
  SourceRelation described = SourceRelation::From(message);
  KnownRelation& known = relations_[message.relation_id];
  if (known.relation != nullptr && *known.relation == described) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(known.policy, gate_(described));
  known.relation = std::make_shared<const SourceRelation>(std::move(described));
  known.batch = 0;
  return absl::OkStatus();
}

absl::StatusOr<BatchBuilder::KnownRelation*> BatchBuilder::Find(
    uint32_t relation_id) {
  const auto found = relations_.find(relation_id);
  if (found == relations_.end()) {
    return absl::DataLossError(absl::StrCat(
        "stream: change of relation ", relation_id,
        ", which was not described before it (transaction ", begin_.xid,
        ", commit ", begin_.final_lsn.ToString(), ")"));
  }
  return &found->second;
}

absl::Status BatchBuilder::CheckWidth(const KnownRelation& known,
                                      const TupleView& row) const {
  if (row.size() == known.relation->columns.size()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(
      "stream: row of ", ToDisplay(known.relation->name), " has ", row.size(),
      " columns, its description has ", known.relation->columns.size(),
      " (transaction ", begin_.xid, ")"));
}

void BatchBuilder::CountDecoded(KnownRelation& known, ChangeKind kind) {
  if (known.batch != batch_number_) {
    known.batch = batch_number_;
    known.decoded = batch_->AddDecodedTable(known.relation);
  }
  batch_->CountDecoded(known.decoded, kind);
}

absl::Status BatchBuilder::OnInsert(const Insert& insert) {
  ASSIGN_OR_RETURN(KnownRelation* const known, Find(insert.relation_id));
  RETURN_IF_ERROR(CheckWidth(*known, insert.row));
  if (!IsApplied(*known)) return absl::OkStatus();
  CountDecoded(*known, ChangeKind::kInsert);
  batch_->AddInsert(known->relation, insert);
  return absl::OkStatus();
}

absl::Status BatchBuilder::OnUpdate(const Update& update) {
  ASSIGN_OR_RETURN(KnownRelation* const known, Find(update.relation_id));
  RETURN_IF_ERROR(CheckWidth(*known, update.row));
  if (update.old_kind != OldRow::kNone) {
    RETURN_IF_ERROR(CheckWidth(*known, update.old_row));
  }
  if (!IsApplied(*known)) return absl::OkStatus();
  CountDecoded(*known, ChangeKind::kUpdate);
  batch_->AddUpdate(known->relation, update);
  return absl::OkStatus();
}

absl::Status BatchBuilder::OnDelete(const Delete& message) {
  ASSIGN_OR_RETURN(KnownRelation* const known, Find(message.relation_id));
  RETURN_IF_ERROR(CheckWidth(*known, message.old_row));
  if (!IsApplied(*known)) return absl::OkStatus();
  CountDecoded(*known, ChangeKind::kDelete);
  batch_->AddDelete(known->relation, message);
  return absl::OkStatus();
}

absl::Status BatchBuilder::OnTruncate(const Truncate& truncate) {
  std::vector<std::shared_ptr<const SourceRelation>> relations;
  for (uint32_t i = 0; i < truncate.relation_ids.size(); ++i) {
    ASSIGN_OR_RETURN(KnownRelation* const known,
                     Find(truncate.relation_ids[i]));
    if (!IsApplied(*known)) continue;
    CountDecoded(*known, ChangeKind::kTruncate);
    relations.push_back(known->relation);
  }
  if (!relations.empty()) {
    batch_->AddTruncate(relations, truncate.restart_identity);
  }
  return absl::OkStatus();
}

}  // namespace walferry
