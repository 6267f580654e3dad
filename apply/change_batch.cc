#include "apply/change_batch.h"

#include <cstring>
#include <new>
#include <utility>

namespace walferry {
namespace {

// A batch of one small transaction, the usual one of a quiet stream, fits.
constexpr size_t kFirstArenaBytes = 8192;

}  // namespace

ChangeBatch::ChangeBatch() : arena_(kFirstArenaBytes) {}

void ChangeBatch::AddTransaction(const BatchTransaction& transaction) {
  bytes_ += sizeof(BatchTransaction);
  transactions_.push_back(transaction);
}

void ChangeBatch::BeginTransaction(const Begin& begin) {
  AddTransaction({.xid = begin.xid,
                  .commit_lsn = begin.final_lsn,
                  .commit_time = begin.commit_time,
                  .first_change = changes_.size()});
}

void ChangeBatch::ContinueTransaction(const BatchTransaction& open) {
  AddTransaction({.xid = open.xid,
                  .commit_lsn = open.commit_lsn,
                  .commit_time = open.commit_time,
                  .first_change = changes_.size(),
                  .continued = true});
}

void ChangeBatch::CommitTransaction(const Commit& commit) {
  BatchTransaction& transaction = transactions_.back();
  transaction.commit_lsn = commit.commit_lsn;
  transaction.end_lsn = commit.end_lsn;
  transaction.commit_time = commit.commit_time;
  transaction.complete = true;
}

void ChangeBatch::AddInsert(
    const std::shared_ptr<const SourceRelation>& relation,
    const Insert& insert) {
  Hold(relation);
  Add({.kind = ChangeKind::kInsert,
       .relation = relation.get(),
       .row = CopyRow(insert.row)});
}

void ChangeBatch::AddUpdate(
    const std::shared_ptr<const SourceRelation>& relation,
    const Update& update) {
  Hold(relation);
  Change change{.kind = ChangeKind::kUpdate,
                .old_kind = update.old_kind,
                .relation = relation.get()};
  if (update.old_kind != OldRow::kNone) {
    change.old_row = CopyRow(update.old_row);
  }
  change.row = CopyRow(update.row);
  Add(change);
}

void ChangeBatch::AddDelete(
    const std::shared_ptr<const SourceRelation>& relation,
    const Delete& message) {
  Hold(relation);
  Add({.kind = ChangeKind::kDelete,
       .old_kind = message.old_kind,
       .relation = relation.get(),
       .old_row = CopyRow(message.old_row)});
}

void ChangeBatch::AddTruncate(
    absl::Span<const std::shared_ptr<const SourceRelation>> relations,
    bool restart_identity) {
  std::pmr::polymorphic_allocator<const SourceRelation*> allocator(&arena_);
  const SourceRelation** truncated = allocator.allocate(relations.size());
  for (size_t index = 0; index < relations.size(); ++index) {
    Hold(relations[index]);
    truncated[index] = relations[index].get();
  }
  bytes_ += relations.size() * sizeof(SourceRelation*);
  Add({.kind = ChangeKind::kTruncate,
       .restart_identity = restart_identity,
       .truncated = absl::MakeConstSpan(truncated, relations.size())});
}

size_t ChangeBatch::AddDecodedTable(
    const std::shared_ptr<const SourceRelation>& relation) {
  decoded_.push_back({.relation = relation, .counts = {}});
  return decoded_.size() - 1;
}

Lsn ChangeBatch::end_lsn() const {
  const BatchTransaction* last = last_complete();
  return last == nullptr ? Lsn() : last->end_lsn;
}

int64_t ChangeBatch::commit_time() const {
  const BatchTransaction* last = last_complete();
  return last == nullptr ? 0 : last->commit_time;
}

const BatchTransaction* ChangeBatch::last_complete() const {
  // Only the last one can be incomplete.
  for (size_t count = transactions_.size(); count > 0; --count) {
    if (transactions_[count - 1].complete) return &transactions_[count - 1];
  }
  return nullptr;
}

void ChangeBatch::Add(const Change& change) {
  changes_.push_back(change);
  ++transactions_.back().change_count;
  bytes_ += sizeof(Change);
}

absl::Span<const Column> ChangeBatch::CopyRow(const TupleView& row) {
  // One allocation: the columns, then the row's bytes. A value is followed by
  // the kind byte of the next column, which the copy does not need, and the
  // last by one byte more: room for the terminators.
  const absl::string_view bytes = row.bytes();
  const size_t columns_size = row.size() * sizeof(Column);
  const size_t size = columns_size + bytes.size() + 1;
  char* memory = static_cast<char*>(arena_.allocate(size, alignof(Column)));
  char* copy = memory + columns_size;
  if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
  bytes_ += size;

  auto* columns = reinterpret_cast<Column*>(memory);
  size_t count = 0;
  for (TupleView::Walker walk(row); !walk.done(); ++count) {
    Column* column = new (&columns[count]) Column(walk.Next());
    if (!column->has_value()) continue;
    has_binary_ |= column->kind == ColumnKind::kBinary;
    char* value = copy + (column->value.data() - bytes.data());
    value[column->value.size()] = '\0';
    column->value = absl::string_view(value, column->value.size());
  }
  return absl::MakeConstSpan(columns, count);
}

void ChangeBatch::Hold(const std::shared_ptr<const SourceRelation>& relation) {
  if (!relations_.empty() && relations_.back() == relation) return;
  if (held_.insert(relation.get()).second) relations_.push_back(relation);
}

}  // namespace walferry
