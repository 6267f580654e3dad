#include "apply/taken_values.h"

#include <cstddef>
#include <memory>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "apply/row_array.h"
#include "apply/table_sql.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Statements that are kept prepared, one for each table.
constexpr size_t kMaxTables = 1000;

// A question is cut there, so that the target looks while the next is made.
constexpr size_t kMaxBytes = size_t{1} << 20;

// A name that no column has.
std::string OrdinalName(const TargetTable& table) {
  std::string name = "ordinal";
  for (const TargetColumn& column : table.columns) {
    if (column.name.size() < name.size()) continue;
    name.resize(column.name.size() + 1, '_');
  }
  return name;
}

bool IsBinary(absl::Span<const Column> row) {
  const Column* const value = FirstValue(row);
  return value != nullptr && value->kind == ColumnKind::kBinary;
}

}  // namespace

std::vector<Statement> BuildStatements(const TableMapping& table,
                                       TakenValuesShape) {
  const std::string ordinal = OrdinalName(table.target);
  std::string names;
  for (const TargetColumn& column : table.target.columns) {
    absl::StrAppend(&names, QuoteIdentifier(column.name), ", ");
  }
  const std::string is_taken = absl::StrJoin(
      table.other_keys, " OR ",
      [&](std::string* out, const std::vector<size_t>& key) {
        absl::StrAppend(out, "EXISTS (SELECT FROM ", Only(table.target),
                        " AS o WHERE ", SameValues(table, key), " AND NOT (",
                        SameValues(table, table.lookup), "))");
      });
  return {{.sql = absl::StrCat(
               "SELECT v.", ordinal, " FROM pg_catalog.unnest($1::",
               Quote(table.target.name), "[]) WITH ORDINALITY AS v (", names,
               ordinal, ") WHERE ", is_taken),
           .parameters = {}}};
}

// Of one table.
struct TakenValues::Rows {
  std::shared_ptr<const TableMapping> table;
  RowArray array;
  std::vector<size_t> changes;  // Of each row.
};

TakenValues::TakenValues(ApplySession& session, TargetTransaction& transaction,
                         const TableCache& tables)
    : transaction_(transaction),
      tables_(tables),
      statements_(session, kMaxTables) {}

absl::Status TakenValues::Find(const ChangeBatch& batch,
                               std::vector<bool>& marked) {
  RETURN_IF_ERROR(transaction_.Begin());
  absl::flat_hash_map<const SourceRelation*, std::unique_ptr<Rows>> rows_of;
  for (size_t index = 0; index < batch.changes().size(); ++index) {
    const Change& change = batch.changes()[index];
    if (marked[index] || change.row.empty()) continue;
    const auto [known, is_new] = rows_of.try_emplace(change.relation);
    if (is_new) {
      std::shared_ptr<const TableMapping> table =
          tables_.Find(*change.relation);
      if (table->lookup_is_key && !table->other_keys.empty()) {
        const TableMapping& mapping = *table;
        known->second = std::make_unique<Rows>(
            Rows{.table = std::move(table),
                 .array = RowArray::OfRows(mapping, IsBinary(change.row)),
                 .changes = {}});
      }
    }
    Rows* rows = known->second.get();
    if (rows == nullptr) continue;
    if (!rows->array.Add(change.row, change.row)) {
      return absl::FailedPreconditionError("text and binary values");
    }
    rows->changes.push_back(index);
    if (rows->array.bytes() >= kMaxBytes) RETURN_IF_ERROR(Ask(*rows, marked));
  }
  for (const auto& [relation, rows] : rows_of) {
    if (rows != nullptr && !rows->changes.empty()) {
      RETURN_IF_ERROR(Ask(*rows, marked));
    }
  }
  return transaction_.Suspend();
}

absl::Status TakenValues::Ask(Rows& rows, std::vector<bool>& marked) {
  PgPipeline& pipeline = transaction_.pipeline();
  ASSIGN_OR_RETURN(const std::vector<PreparedStatement>* statements,
                   statements_.Get(pipeline, rows.table, TakenValuesShape()));
  const PgParam param = rows.array.Finish();
  RETURN_IF_ERROR(pipeline.SendPrepared(
      statements->front().name, absl::MakeConstSpan(&param, 1),
      [&marked, changes = std::exchange(rows.changes, {})](
          const PgResult& result) -> absl::Status {
        for (int row = 0; row < result.rows(); ++row) {
          ASSIGN_OR_RETURN(const int64_t ordinal, result.Int64(row, 0));
          if (ordinal < 1 || static_cast<size_t>(ordinal) > changes.size()) {
            return absl::InternalError(absl::StrCat(
                "row ", ordinal, " of ", changes.size(), " wants a value"));
          }
          marked[changes[static_cast<size_t>(ordinal - 1)]] = true;
        }
        return absl::OkStatus();
      }));
  rows.array.Clear();
  return absl::OkStatus();
}

}  // namespace walferry
