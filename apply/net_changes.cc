#include "apply/net_changes.h"

#include <algorithm>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace walferry {
namespace {

// Escaped twice, the text of a larger one could be more than a message holds.
constexpr size_t kMaxRowBytes = size_t{64} << 20;

// Memory that is kept from batch to batch, in rows and in sets of columns.
constexpr size_t kKeptRows = 4096;
constexpr size_t kKeptUpdates = 16;

bool SameValue(const Column& a, const Column& b) {
  return a.kind == b.kind && a.value == b.value;
}

// No two rows of the source have the same key at any moment: whole rows (FULL)
// may stand for a key that is checked late, or for none.
bool KeysAreUnique(const TableMapping& table) {
  if (table.source.identity == ReplicaIdentity::kFull) return false;
  const auto keys =
      std::count_if(table.source.columns.begin(), table.source.columns.end(),
                    [](const SourceColumn& column) { return column.key; });
  return table.lookup.size() == static_cast<size_t>(keys);
}

// Whether an update changes it, the update alone does not tell.
bool HasFreeIdentity(const TableMapping& table) {
  return std::any_of(table.target_columns.begin(), table.target_columns.end(),
                     [&](size_t index) {
                       const TargetColumn& column = table.target.columns[index];
                       return column.identity_always && !column.key;
                     });
}

}  // namespace

NetChanges::NetChanges(std::shared_ptr<const TableMapping> table)
    : table_(std::move(table)),
      has_values_(!table_->FilledColumns().empty()),
      has_own_columns_(table_->HasOwnColumns()),
      has_free_identity_(HasFreeIdentity(*table_)),
      keys_are_unique_(KeysAreUnique(*table_)),
      counts_(table_->lookup) {}

size_t NetChanges::Result::capacity() const {
  size_t rows = deletes.capacity() + inserts.capacity();
  for (const Updates& same : updates) rows += same.rows.capacity();
  return rows;
}

size_t NetChanges::Result::rows() const {
  size_t rows = deletes.size() + inserts.size();
  for (const Updates& same : updates) rows += same.rows.size();
  return rows;
}

void NetChanges::Clear() {
  taken_ = {};
  if (rows_.capacity() > kKeptRows) {
    rows_ = {};
    index_ = {};
  }
  // Larger than rows_ where rows have no key.
  if (result_.capacity() > kKeptRows) result_ = {};
  if (result_.updates.size() > kKeptUpdates) result_.updates = {};
  rows_.clear();
  index_.clear();
  indexed_ = false;
  counts_.Clear();
  merged_.release();
}

bool NetChanges::Takes(ChangeKind kind) const {
  switch (kind) {
    case ChangeKind::kInsert:
      return has_values_;
    case ChangeKind::kUpdate:
      return table_->lookup_is_key
                 ? !has_free_identity_
                 : table_->lookup_is_row() && !has_own_columns_;
    case ChangeKind::kDelete:
      return table_->lookup_is_key || table_->lookup_is_row();
    case ChangeKind::kTruncate:
      break;
  }
  return false;
}

bool NetChanges::Add(const Change& change) {
  if (!Fold(change)) return false;
  ++taken_.of(change.kind);
  return true;
}

bool NetChanges::Fold(const Change& change) {
  if (!Takes(change.kind)) return false;
  const bool has_row = change.kind != ChangeKind::kDelete;
  const bool has_old = change.old_kind != OldRow::kNone;
  if (has_row && !Fits(change.row)) return false;
  if (has_old && !Fits(change.old_row)) return false;
  if (!table_->lookup_is_key) return AddByValues(change);
  switch (change.kind) {
    case ChangeKind::kInsert:
      return AddInsert(change.row);
    case ChangeKind::kUpdate:
      return AddUpdate(change);
    case ChangeKind::kDelete:
      return AddDelete(change.old_row);
    case ChangeKind::kTruncate:
      break;
  }
  return false;
}

bool NetChanges::Fits(absl::Span<const Column> row) const {
  size_t bytes = 0;
  for (const Column& column : row) bytes += column.value.size();
  return row.size() == table_->source.columns.size() && bytes <= kMaxRowBytes;
}

bool NetChanges::AddByValues(const Change& change) {
  if (change.kind == ChangeKind::kInsert) {
    if (!IsWhole(change.row)) return false;
    counts_.Insert(change.row);
    return true;
  }
  if (change.old_kind != OldRow::kFull || !IsWhole(change.old_row)) {
    return false;
  }
  const bool is_update = change.kind == ChangeKind::kUpdate;
  counts_.Delete(change.old_row, is_update ? 0 : 1);
  if (is_update) counts_.Insert(Merge(change.old_row, change.row));
  return true;
}

bool NetChanges::AddInsert(absl::Span<const Column> row) {
  if (!IsWhole(row) || !HasKey(row)) return false;
  if (OnlyOf(State::kInserted)) {
    Append(State::kInserted, row, row, 0);
    return true;
  }
  if (!Index()) return false;
  const size_t hash = Hash(row);
  NetRow* known = Find(row, hash);
  if (known == nullptr) {
    Append(State::kInserted, row, row, hash);
    return true;
  }
  switch (known->state) {
    case State::kDeleted:
      known->state = State::kReplaced;
      break;
    case State::kGone:
      known->state = State::kInserted;
      break;
    case State::kUpdated:
    case State::kInserted:
    case State::kReplaced:
      return false;
  }
  known->row = row;
  ++known->changes;
  return true;
}

bool NetChanges::AddDelete(absl::Span<const Column> key, uint32_t changes) {
  if (key.empty() || !HasKey(key)) return false;
  if (OnlyOf(State::kDeleted)) {
    Append(State::kDeleted, key, {}, 0, changes);
    return true;
  }
  if (!Index()) return false;
  const size_t hash = Hash(key);
  NetRow* known = Find(key, hash);
  if (known == nullptr) {
    Append(State::kDeleted, key, {}, hash, changes);
    return true;
  }
  switch (known->state) {
    case State::kUpdated:
    case State::kReplaced:
      known->state = State::kDeleted;
      known->changes += changes;
      return true;
    case State::kInserted:
      if (!keys_are_unique_) return false;
      known->state = State::kGone;
      known->changes += changes;
      return true;
    case State::kDeleted:
    case State::kGone:
      break;
  }
  return false;
}

bool NetChanges::AddUpdate(const Change& change) {
  const bool has_old = change.old_kind != OldRow::kNone;
  const absl::Span<const Column> key = has_old ? change.old_row : change.row;
  if (!HasKey(key) || !Index()) return false;
  if (has_old) {
    for (const size_t column : table_->lookup) {
      // A toasted key that did not change is sent as unchanged.
      if (change.row[column].kind != ColumnKind::kUnchanged &&
          !SameValue(change.old_row[column], change.row[column])) {
        return ChangeKey(change);
      }
    }
  }
  const size_t hash = Hash(key);
  NetRow* known = Find(key, hash);
  if (known == nullptr) {
    Append(State::kUpdated, key, change.row, hash);
    return true;
  }
  if (known->state == State::kDeleted || known->state == State::kGone ||
      (known->state == State::kInserted && !keys_are_unique_)) {
    return false;
  }
  known->row = Merge(known->row, change.row);
  ++known->changes;
  return true;
}

bool NetChanges::ChangeKey(const Change& change) {
  // As a delete and an insert, which needs the whole row.
  if (has_own_columns_ || !keys_are_unique_) return false;
  const size_t old_hash = Hash(change.old_row);
  NetRow* known = Find(change.old_row, old_hash);
  if (known != nullptr &&
      (known->state == State::kDeleted || known->state == State::kGone)) {
    return false;
  }
  absl::Span<const Column> row = change.row;
  if (known != nullptr) row = Merge(known->row, row);
  if (change.old_kind == OldRow::kFull) row = Merge(change.old_row, row);
  if (!IsWhole(row) || !HasKey(row)) return false;
  const size_t new_hash = Hash(row);
  const NetRow* target = Find(row, new_hash);
  if (target != nullptr && target->state != State::kDeleted &&
      target->state != State::kGone) {
    return false;
  }
  return AddDelete(change.old_row, 0) && AddInsert(row);
}

NetChanges::Result& NetChanges::Finish() {
  result_.deletes.clear();
  result_.inserts.clear();
  for (Result::Updates& updates : result_.updates) updates.rows.clear();
  result_.changes = 0;
  for (const NetRow& net : rows_) {
    result_.changes += net.changes;
    switch (net.state) {
      case State::kDeleted:
        result_.deletes.push_back({.key = net.key, .row = {}});
        break;
      case State::kReplaced:
        result_.deletes.push_back({.key = net.key, .row = {}});
        result_.inserts.push_back({.key = net.row, .row = net.row});
        break;
      case State::kInserted:
        result_.inserts.push_back({.key = net.row, .row = net.row});
        break;
      case State::kUpdated:
        UpdatesLike(net.row).rows.push_back({.key = net.key, .row = net.row});
        break;
      case State::kGone:
        break;
    }
  }
  for (const RowCounts::Count& count : counts_.counts()) {
    const Row row = {.key = count.row, .row = count.row};
    result_.deletes.insert(result_.deletes.end(), count.deletes, row);
    result_.inserts.insert(result_.inserts.end(), count.inserts, row);
    result_.changes += static_cast<int64_t>(count.changes);
  }
  return result_;
}

NetChanges::Result::Updates& NetChanges::UpdatesLike(
    absl::Span<const Column> row) {
  ColumnSet unchanged;
  for (size_t column = 0; column < row.size(); ++column) {
    if (row[column].kind == ColumnKind::kUnchanged) unchanged.Add(column);
  }
  // Few: what is stored out of line changes or does not.
  for (Result::Updates& updates : result_.updates) {
    if (updates.unchanged == unchanged) return updates;
  }
  result_.updates.push_back({.unchanged = unchanged, .rows = {}});
  return result_.updates.back();
}

bool NetChanges::OnlyOf(State state) const {
  return !indexed_ && (rows_.empty() || rows_.front().state == state);
}

bool NetChanges::Index() {
  if (indexed_) return true;
  index_.clear();
  for (uint32_t index = 0; index < rows_.size(); ++index) {
    NetRow& net = rows_[index];
    net.hash = Hash(net.key);
    // A row twice: the target will refuse it.
    if (Find(net.key, net.hash) != nullptr) return false;
    const auto [entry, is_new] = index_.try_emplace(net.hash, index);
    net.next = is_new ? kNone : std::exchange(entry->second, index);
  }
  indexed_ = true;
  return true;
}

size_t NetChanges::Hash(absl::Span<const Column> key) const {
  if (table_->lookup.size() == 1) {
    return absl::Hash<absl::string_view>()(key[table_->lookup.front()].value);
  }
  size_t hash = 0;
  for (const size_t column : table_->lookup) {
    hash = absl::HashOf(hash, key[column].value);
  }
  return hash;
}

bool NetChanges::SameKey(absl::Span<const Column> a,
                         absl::Span<const Column> b) const {
  return std::all_of(
      table_->lookup.begin(), table_->lookup.end(),
      [&](size_t column) { return SameValue(a[column], b[column]); });
}

// Also that it is not NULL.
bool NetChanges::HasKey(absl::Span<const Column> row) const {
  return std::all_of(table_->lookup.begin(), table_->lookup.end(),
                     [&](size_t column) { return row[column].has_value(); });
}

NetChanges::NetRow* NetChanges::Find(absl::Span<const Column> key,
                                     size_t hash) {
  const auto found = index_.find(hash);
  if (found == index_.end()) return nullptr;
  for (uint32_t index = found->second; index != kNone;
       index = rows_[index].next) {
    if (SameKey(rows_[index].key, key)) return &rows_[index];
  }
  return nullptr;
}

void NetChanges::Append(State state, absl::Span<const Column> key,
                        absl::Span<const Column> row, size_t hash,
                        uint32_t changes) {
  const auto index = static_cast<uint32_t>(rows_.size());
  uint32_t next = kNone;
  if (indexed_) {
    const auto [entry, is_new] = index_.try_emplace(hash, index);
    if (!is_new) next = std::exchange(entry->second, index);
  }
  rows_.push_back({.state = state,
                   .next = next,
                   .changes = changes,
                   .hash = hash,
                   .key = key,
                   .row = row});
}

absl::Span<const Column> NetChanges::Merge(absl::Span<const Column> older,
                                           absl::Span<const Column> newer) {
  if (IsWhole(newer)) return newer;
  std::pmr::polymorphic_allocator<Column> allocator(&merged_);
  Column* merged = allocator.allocate(newer.size());
  for (size_t column = 0; column < newer.size(); ++column) {
    const bool keep = newer[column].kind == ColumnKind::kUnchanged;
    new (&merged[column]) Column(keep ? older[column] : newer[column]);
  }
  return absl::MakeConstSpan(merged, newer.size());
}

bool NetChanges::IsWhole(absl::Span<const Column> row) {
  return std::none_of(row.begin(), row.end(), [](const Column& column) {
    return column.kind == ColumnKind::kUnchanged;
  });
}

}  // namespace walferry
