#include "apply/set_changes.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "apply/copy_rows.h"
#include "protocol/pg_copy.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// A table takes three, and one for each set of unchanged columns.
constexpr size_t kMaxPreparedSets = 1000;

// Where the sets of a table begin, whose updates may collide.
constexpr absl::string_view kTableSavepoint = "walferry_table";

// A set is cut there, so that the target begins with one while the next is
// made. Each set of rows that are found by their values is a pass over the
// table, so these are cut only where the target's memory asks for it.
constexpr size_t kMaxSetBytes = size_t{1} << 20;
constexpr size_t kMaxSetBytesByValues = size_t{64} << 20;

constexpr size_t kCopyChunk = size_t{256} << 10;
constexpr absl::Duration kCopyIdleTimeout = absl::InfiniteDuration();

// How many batches a table's rows are replaced after updates have collided.
constexpr int kReplacedBatches = 256;

bool MeansCollision(absl::string_view sqlstate) {
  return sqlstate == "23505" || sqlstate == "23P01";
}

// The format of a set's values: the first one's.
bool IsBinary(absl::Span<const NetChanges::Row> rows) {
  for (const NetChanges::Row& row : rows) {
    for (const absl::Span<const Column> columns : {row.key, row.row}) {
      const Column* const value = FirstValue(columns);
      if (value != nullptr) return value->kind == ColumnKind::kBinary;
    }
  }
  return false;
}

// By key: neighbours share the pages of index and table. Numbers that are text
// come in their order, too.
void SortByKey(const TableMapping& table, std::vector<NetChanges::Row>& rows) {
  const size_t column = table.lookup.front();
  std::sort(rows.begin(), rows.end(),
            [column](const NetChanges::Row& a, const NetChanges::Row& b) {
              const absl::string_view left = a.key[column].value;
              const absl::string_view right = b.key[column].value;
              return left.size() != right.size() ? left.size() < right.size()
                                                 : left < right;
            });
}

void ReplaceWhole(NetChanges::Result& rows) {
  for (NetChanges::Result::Updates& updates : rows.updates) {
    if (updates.unchanged != ColumnSet()) continue;
    for (const NetChanges::Row& row : updates.rows) {
      rows.deletes.push_back({.key = row.key, .row = {}});
      rows.inserts.push_back({.key = row.row, .row = row.row});
    }
    updates.rows.clear();
  }
}

absl::Status TouchedOthers(const TableMapping& table, ChangeKind kind,
                           int64_t touched, size_t expected) {
  return absl::FailedPreconditionError(
      absl::StrCat(ChangeKindName(kind), " of ", expected, " rows of ",
                   ToDisplay(table.target.name), " touched ", touched));
}

}  // namespace

SetChanges::SetChanges(ApplySession& session, TargetTransaction& transaction,
                       const TableCache& tables, ExactChanges& exact,
                       TableCheck& check, AppliedCounts& applied,
                       const Options& options)
    : options_(options),
      session_(session),
      transaction_(transaction),
      tables_(tables),
      exact_(exact),
      check_(check),
      applied_(applied),
      statements_(session, kMaxPreparedSets) {}

void SetChanges::StartBatch(const ChangeBatch& batch) {
  DropTouched();
  batch_ = &batch;
  table_of_.clear();
  sent_.clear();
  // The catalog was read anew since, or the source's table has another shape.
  absl::erase_if(by_mapping_, [](const auto& known) {
    return known.second->net.table().use_count() == 1;
  });
  absl::flat_hash_map<const SourceRelation*, Table*> by_relation;
  TablesByTarget by_target;
  const SourceRelation* last = nullptr;
  Table* table = nullptr;
  for (const Change& change : batch.changes()) {
    if (change.relation != last) {
      last = change.relation;
      const auto [known, is_new] = by_relation.try_emplace(last, nullptr);
      if (is_new && last != nullptr) {
        known->second = &TableOf(*last, by_target);
      }
      table = known->second;
    }
    table_of_.push_back(table);
  }
}

SetChanges::Table& SetChanges::TableOf(const SourceRelation& relation,
                                       TablesByTarget& by_target) {
  const std::shared_ptr<const TableMapping> mapping = tables_.Find(relation);
  std::unique_ptr<Table>& table = by_mapping_[mapping.get()];
  if (table == nullptr) table = std::make_unique<Table>(mapping);
  const QualifiedName& name = mapping->target.name;
  const auto [first, is_first] =
      by_target.try_emplace({name.schema, name.name}, table.get());
  if (is_first) {
    table->is_shared = false;
  } else if (first->second != table.get()) {
    // The relation has changed: another table to us, but not to the target.
    table->is_shared = first->second->is_shared = true;
  }
  return *table;
}

bool SetChanges::WorthIt(size_t first, size_t last) const {
  if (last - first < options_.min_changes) return false;
  size_t apart = 0;
  for (size_t index = first; index < last; ++index) {
    const Table* table = table_of_[index];
    if (table == nullptr || table->apart ||
        !table->net.Takes(batch_->changes()[index].kind)) {
      ++apart;
    }
  }
  return apart * options_.min_changes_per_apart <= last - first;
}

absl::Status SetChanges::Apply(size_t first, size_t last,
                               const std::vector<bool>* left_out,
                               bool to_come) {
  DropTouched();
  may_replace_ = !to_come;
  for (size_t index = first; index < last; ++index) {
    if (left_out != nullptr && (*left_out)[index]) continue;
    Table* table = table_of_[index];
    if (table != nullptr && !table->apart) {
      if (table->net.empty()) RETURN_IF_ERROR(Touch(*table));
      if (table->net.Add(batch_->changes()[index])) continue;
    }
    RETURN_IF_ERROR(Flush());
    RETURN_IF_ERROR(exact_.Send(index, index + 1));
  }
  RETURN_IF_ERROR(Flush());
  return transaction_.Suspend();
}

// What the other relation has brought comes first.
absl::Status SetChanges::Touch(Table& table) {
  if (table.is_shared) RETURN_IF_ERROR(Flush());
  touched_.push_back(&table);
  return absl::OkStatus();
}

absl::Status SetChanges::Flush() {
  if (touched_.empty()) return transaction_.Begin();
  size_t first = 0;
  while (true) {
    absl::Status status = SendFrom(first);
    if (status.ok()) status = transaction_.Suspend();
    if (status.ok()) break;
    const std::optional<size_t> collided = CollidedTable(status);
    if (!collided.has_value()) return status;
    // To where its sets began: what came behind them was not done.
    RETURN_IF_ERROR(transaction_.RollBackTo(kTableSavepoint));
    first = *collided;
    touched_[first]->replaces = kReplacedBatches;
  }
  for (Table* table : touched_) {
    if (table->rows->inserts.size() < options_.min_copy_rows) continue;
    RETURN_IF_ERROR(CopyInserts(*table));
  }
  for (Table* table : touched_) {
    RETURN_IF_ERROR(CountApplied(*table));
    table->replaces = std::max(0, table->replaces - 1);
  }
  DropTouched();
  return transaction_.Begin();
}

void SetChanges::DropTouched() {
  for (Table* table : touched_) table->net.Clear();
  touched_.clear();
}

absl::Status SetChanges::SendFrom(size_t first) {
  sent_.clear();
  for (sending_ = first; sending_ < touched_.size(); ++sending_) {
    Table& table = *touched_[sending_];
    RETURN_IF_ERROR(transaction_.Begin());
    if (CanReplace(table))
      RETURN_IF_ERROR(transaction_.Savepoint(kTableSavepoint));
    RETURN_IF_ERROR(SendTable(table));
    if (CanReplace(table)) {
      RETURN_IF_ERROR(transaction_.Release(kTableSavepoint));
    }
  }
  return absl::OkStatus();
}

bool SetChanges::CanReplace(const Table& table) const {
  return may_replace_ && table.replaces == 0 &&
         table.net.table()->target.other_unique &&
         table.net.table()->lookup_is_key && table.net.can_replace();
}

std::optional<size_t> SetChanges::CollidedTable(
    const absl::Status& failure) const {
  if (!MeansCollision(SqlStateOf(failure))) return std::nullopt;
  const int64_t statement = transaction_.pipeline().failed_index();
  for (const Sent& sent : sent_) {
    if (sent.statement != statement) continue;
    if (!CanReplace(*touched_[sent.table])) return std::nullopt;
    return sent.table;
  }
  return std::nullopt;
}

absl::Status SetChanges::SendTable(Table& table) {
  NetChanges::Result& rows = table.net.Finish();
  table.rows = &rows;
  table.touched = 0;
  if (table.replaces > 0) ReplaceWhole(rows);
  RETURN_IF_ERROR(SendSet(table, {.kind = ChangeKind::kDelete}, rows.deletes));
  for (NetChanges::Result::Updates& updates : rows.updates) {
    if (updates.rows.empty()) continue;
    SortByKey(*table.net.table(), updates.rows);
    RETURN_IF_ERROR(SendSet(
        table, {.kind = ChangeKind::kUpdate, .unchanged = updates.unchanged},
        updates.rows));
  }
  if (rows.inserts.size() < options_.min_copy_rows) {
    RETURN_IF_ERROR(
        SendSet(table, {.kind = ChangeKind::kInsert}, rows.inserts));
  }
  // The rows of a set are told by the places of their columns, which the table
  // may have changed since its catalog was read.
  return check_.SendForPlaces(*table.net.table());
}

absl::Status SetChanges::SendSet(Table& table, const SetShape& shape,
                                 absl::Span<const NetChanges::Row> rows) {
  if (rows.empty()) return absl::OkStatus();
  const TableMapping& mapping = *table.net.table();
  const bool binary = IsBinary(rows);
  const bool by_key =
      shape.kind == ChangeKind::kDelete && DeletesByKeyArray(mapping);
  RowArray array = by_key ? RowArray::OfKeys(mapping, binary)
                          : RowArray::OfRows(mapping, binary);
  const size_t max_bytes =
      shape.kind == ChangeKind::kDelete && mapping.lookup_is_row()
          ? kMaxSetBytesByValues
          : kMaxSetBytes;
  for (const NetChanges::Row& row : rows) {
    if (!array.Add(row.key, row.row)) return MixedFormats(table);
    if (array.bytes() < max_bytes) continue;
    RETURN_IF_ERROR(SendArray(table, shape, array));
    array.Clear();
  }
  return array.count() == 0 ? absl::OkStatus() : SendArray(table, shape, array);
}

absl::Status SetChanges::SendArray(Table& table, const SetShape& shape,
                                   RowArray& array) {
  PgPipeline& pipeline = transaction_.pipeline();
  ASSIGN_OR_RETURN(const std::vector<PreparedStatement>* statements,
                   statements_.Get(pipeline, table.net.table(), shape));
  sent_.push_back({.statement = pipeline.sent(), .table = sending_});
  const PgParam param = array.Finish();
  return pipeline.SendPrepared(
      statements->front().name, absl::MakeConstSpan(&param, 1),
      [&table, kind = shape.kind,
       expected = array.count()](const PgResult& result) {
        const int64_t touched = result.affected_rows();
        table.touched += touched;
        if (touched == static_cast<int64_t>(expected)) return absl::OkStatus();
        return TouchedOthers(*table.net.table(), kind, touched, expected);
      });
}

absl::Status SetChanges::CopyInserts(Table& table) {
  const TableMapping& mapping = *table.net.table();
  const std::vector<NetChanges::Row>& rows = table.rows->inserts;
  const bool binary = IsBinary(rows);
  ASSIGN_OR_RETURN(PgCopyIn copy, PgCopyIn::Start(transaction_.connection(),
                                                  BuildCopyIn(mapping, binary),
                                                  kCopyIdleTimeout));
  CopyRows data(mapping, binary);
  for (const NetChanges::Row& row : rows) {
    if (!data.Add(row.row)) return MixedFormats(table);
    if (data.bytes().size() < kCopyChunk) continue;
    RETURN_IF_ERROR(copy.Write(data.bytes()));
    data.Clear();
  }
  data.End();
  RETURN_IF_ERROR(copy.Write(data.bytes()));
  ASSIGN_OR_RETURN(const int64_t stored, copy.Finish());
  table.touched += stored;
  if (stored == static_cast<int64_t>(rows.size())) return absl::OkStatus();
  return TouchedOthers(mapping, ChangeKind::kInsert, stored, rows.size());
}

absl::Status SetChanges::CountApplied(const Table& table) {
  const QualifiedName& name = table.net.table()->source.name;
  const int64_t taken = table.net.taken().total();
  const auto rows = static_cast<int64_t>(table.rows->rows());
  if (table.rows->changes != taken || table.touched != rows) {
    return absl::InternalError(
        absl::StrCat(taken, " changes of ", ToDisplay(name), " became ", rows,
                     " rows of ", table.rows->changes,
                     " changes, and the target touched ", table.touched));
  }
  applied_.Add(name, table.net.taken());
  return absl::OkStatus();
}

absl::Status SetChanges::MixedFormats(Table& table) {
  table.apart = true;
  return absl::FailedPreconditionError(
      absl::StrCat(ToDisplay(table.net.table()->target.name),
                   " has text and binary values: not for sets"));
}

}  // namespace walferry
