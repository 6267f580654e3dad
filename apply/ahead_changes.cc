#include "apply/ahead_changes.h"

#include <algorithm>
#include <memory>
#include <string>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Shorter than the time after which a server looks for deadlocks (1 s), so that
// it is rather this session that ends the wait.
constexpr int kLockPatienceMs = 100;

}  // namespace

AheadChanges::AheadChanges(ApplySession& session,
                           TargetTransaction& transaction,
                           const TableCache& tables, ExactChanges& exact,
                           SetChanges& sets, TableCheck& check,
                           AppliedCounts& applied, KeysInFlight& in_flight,
                           const Options& options)
    : transaction_(transaction),
      tables_(tables),
      exact_(exact),
      sets_(sets),
      check_(check),
      applied_(applied),
      in_flight_(in_flight),
      taken_(session, transaction, tables),
      options_(options) {}

void AheadChanges::Enter(const ChangeBatch& batch, bool tables_loaded) {
  keys_.keys.clear();
  keys_.wall = !tables_loaded || !CollectKeys(batch);
  if (keys_.wall) keys_.keys.clear();
  in_flight_.Enter(keys_);
}

void AheadChanges::Leave() {
  in_flight_.Leave(keys_);
  keys_.keys.clear();
  keys_.wall = false;
}

bool AheadChanges::CollectKeys(const ChangeBatch& batch) {
  key_ends_.clear();
  tables_by_relation_.clear();
  table_hashes_.clear();
  has_partitioned_ = false;
  relation_ = nullptr;
  if (batch.open() || batch.transactions().empty() ||
      batch.transactions().front().continued) {
    return false;
  }
  for (const Change& change : batch.changes()) {
    if (!CollectKeys(change)) return false;
    key_ends_.push_back(keys_.keys.size());
  }
  return true;
}

bool AheadChanges::CollectKeys(const Change& change) {
  if (change.kind == ChangeKind::kTruncate) return false;
  if (change.relation != relation_ && !EnterTable(*change.relation)) {
    return false;
  }
  if (change.kind != ChangeKind::kDelete) AddOtherKeys(change.row);
  if (change.kind == ChangeKind::kInsert) {
    return !table_.mapping->lookup_is_key || AddKey(change, change.row);
  }
  if (!table_.mapping->lookup_is_key) return false;
  const bool has_old = change.old_kind != OldRow::kNone;
  if (has_old && !AddKey(change, change.old_row)) return false;
  return change.kind == ChangeKind::kDelete ? has_old
                                            : AddKey(change, change.row);
}

bool AheadChanges::EnterTable(const SourceRelation& relation) {
  relation_ = &relation;
  const auto [known, is_new] = tables_by_relation_.try_emplace(&relation);
  if (is_new) {
    const TableMapping* mapping = tables_.Find(relation).get();
    if (mapping == nullptr || mapping->target.fires_triggers) return false;
    const TargetTable& target = mapping->target;
    known->second = {
        .mapping = mapping,
        .hash = absl::HashOf(target.name.schema, target.name.name)};
    // Another shape of the same table counts as a second one.
    if (!table_hashes_.insert(known->second.hash).second) return false;
    has_partitioned_ = has_partitioned_ || target.partitioned;
    if (has_partitioned_ && table_hashes_.size() > 1) return false;
  }
  table_ = known->second;
  return true;
}

// Of the row before or after the change.
bool AheadChanges::AddKey(const Change& change, absl::Span<const Column> row) {
  size_t hash = table_.hash;
  for (const size_t column : table_.mapping->lookup) {
    if (column >= row.size()) return false;
    const Column* value = &row[column];
    // Out of line, and the same as before.
    if (value->kind == ColumnKind::kUnchanged &&
        column < change.old_row.size()) {
      value = &change.old_row[column];
    }
    if (!value->has_value()) return false;
    hash = absl::HashOf(hash, value->value);
  }
  keys_.keys.push_back(hash);
  return true;
}

// A value that was not sent is the row's own as before.
void AheadChanges::AddOtherKeys(absl::Span<const Column> row) {
  const std::vector<std::vector<size_t>>& keys = table_.mapping->other_keys;
  for (size_t key = 0; key < keys.size(); ++key) {
    size_t hash = absl::HashOf(table_.hash, key + 1);
    const bool whole =
        std::all_of(keys[key].begin(), keys[key].end(), [&](size_t column) {
          if (column >= row.size() || !row[column].has_value()) return false;
          hash = absl::HashOf(hash, row[column].value);
          return true;
        });
    if (whole) keys_.keys.push_back(hash);
  }
}

// What is late already stays so.
void AheadChanges::Divide(const ChangeBatch& batch) {
  late_count_ = 0;
  late_keys_.clear();
  size_t begin = 0;
  for (size_t index = 0; index < batch.changes().size(); ++index) {
    const size_t end = key_ends_[index];
    for (size_t key = begin; key < end && !late_[index]; ++key) {
      late_[index] = keys_.held[key] || late_keys_.contains(keys_.keys[key]);
    }
    if (late_[index]) {
      ++late_count_;
      late_keys_.insert(keys_.keys.begin() + begin, keys_.keys.begin() + end);
    }
    begin = end;
  }
}

bool AheadChanges::WorthIt(const ChangeBatch& batch) const {
  const size_t changes = batch.changes().size();
  const size_t ahead = changes - late_count_;
  return ahead >= std::max<size_t>(options_.min_set_changes, 1) &&
         static_cast<double>(ahead) >=
             options_.min_share_ahead * static_cast<double>(changes);
}

absl::Status AheadChanges::Begin(const ChangeBatch& batch) {
  const size_t changes = batch.changes().size();
  if (keys_.wall || keys_.behind_wall) return absl::OkStatus();
  late_.assign(changes, false);
  Divide(batch);
  if (!WorthIt(batch)) return absl::OkStatus();
  applied_.Start(batch);
  exact_.Start(batch);
  sets_.StartBatch(batch);
  if (!sets_.WorthIt(0, changes)) return absl::OkStatus();
  if (pause_ > 0) {
    --pause_;
    return absl::OkStatus();
  }
  begun_ = true;
  RETURN_IF_ERROR(transaction_.Begin());
  RETURN_IF_ERROR(transaction_.pipeline().Send(
      absl::StrCat("SET LOCAL lock_timeout = ", kLockPatienceMs)));
  if (options_.ask_for_taken_values) {
    RETURN_IF_ERROR(taken_.Find(batch, late_));
    Divide(batch);
    if (!WorthIt(batch)) {
      Abandon();
      return absl::OkStatus();
    }
  }
  ahead_ = late_;
  ahead_.flip();
  return sets_.Apply(0, changes, &late_, /*to_come=*/true);
}

absl::Status AheadChanges::Finish(const ChangeBatch& batch,
                                  const CommitFacts& facts) {
  RETURN_IF_ERROR(transaction_.Begin());
  RETURN_IF_ERROR(
      transaction_.pipeline().Send("SET LOCAL lock_timeout TO DEFAULT"));
  RETURN_IF_ERROR(transaction_.Store(facts));
  exact_.Start(batch);
  const size_t changes = batch.changes().size();
  if (late_count_ >= std::max<size_t>(options_.min_set_changes, 1)) {
    RETURN_IF_ERROR(sets_.Apply(0, changes, &ahead_));
  } else {
    for (size_t index = 0; index < changes; ++index) {
      if (late_[index]) RETURN_IF_ERROR(exact_.Send(index, index + 1));
    }
  }
  RETURN_IF_ERROR(check_.SendForBinary(batch));
  RETURN_IF_ERROR(transaction_.Commit(applied_));
  begun_ = false;
  next_pause_ = 1;
  return absl::OkStatus();
}

bool AheadChanges::IsInTheWayOf(int pid) {
  // A relation is extended, and an index page split, without regard to
  // transactions.
  const absl::StatusOr<std::string> waits =
      transaction_.connection().QueryValue(absl::StrCat(
          "SELECT EXISTS (SELECT FROM pg_catalog.pg_locks WHERE pid = ", pid,
          " AND NOT granted AND locktype NOT IN ('extend', 'page'))"));
  return !waits.ok() || *waits == "t";
}

void AheadChanges::Undo() {
  ++undone_;
  Abandon();
  pause_ = std::min(next_pause_, options_.longest_pause);
  next_pause_ = std::max(2 * pause_, 1);
}

void AheadChanges::Abandon() {
  transaction_.Abandon();
  begun_ = false;
}

}  // namespace walferry
