#include "apply/table_check.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "apply/target_table.h"
#include "apply/text_needed.h"
#include "protocol/pg_pipeline.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

constexpr char kTypesSql[] =
    "SELECT a.attname, a.atttypid FROM pg_catalog.pg_attribute a WHERE "
    "a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped";

std::string Altered(const TableMapping& table) {
  return absl::StrCat(ToDisplay(table.target.name),
                      " of the target was altered");
}

absl::Status ComparePlaces(const TableMapping& table, const PgResult& result) {
  if (result.rows() == 1 && result.Text(0, 0) == table.target.fingerprint) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(Altered(table));
}

absl::Status CompareTypes(const TableMapping& table, const PgResult& result) {
  absl::flat_hash_map<absl::string_view, int64_t> types;
  for (int row = 0; row < result.rows(); ++row) {
    ASSIGN_OR_RETURN(types[result.Text(row, 0)], result.Int64(row, 1));
  }
  for (size_t column = 0; column < table.source.columns.size(); ++column) {
    const TargetColumn& target = table.TargetOf(column);
    const auto found = types.find(target.name);
    if (found == types.end() || found->second != target.type_oid) {
      return TextNeededError(Altered(table));
    }
  }
  return absl::OkStatus();
}

}  // namespace

TableCheck::TableCheck(ApplySession& session, TargetTransaction& transaction,
                       const TableCache& tables)
    : session_(session),
      transaction_(transaction),
      tables_(tables),
      places_{.sql = TableFingerprintSql(), .name = ""},
      types_{.sql = kTypesSql, .name = ""} {}

absl::Status TableCheck::SendForPlaces(const TableMapping& table) {
  return Send(places_, table, [&table](const PgResult& result) {
    return ComparePlaces(table, result);
  });
}

absl::Status TableCheck::SendForBinary(const ChangeBatch& batch) {
  if (!batch.has_binary()) return absl::OkStatus();
  RETURN_IF_ERROR(transaction_.Begin());
  absl::flat_hash_set<const SourceRelation*> asked;
  const SourceRelation* previous = nullptr;
  for (const Change& change : batch.changes()) {
    if (change.relation == previous || change.relation == nullptr) continue;
    previous = change.relation;
    if (!asked.insert(previous).second) continue;
    const TableMapping& table = *tables_.Find(*previous);
    RETURN_IF_ERROR(Send(types_, table, [&table](const PgResult& result) {
      return CompareTypes(table, result);
    }));
  }
  return absl::OkStatus();
}

absl::Status TableCheck::Send(PreparedQuery& query, const TableMapping& table,
                              PgPipeline::OnResult on_result) {
  PgPipeline& pipeline = transaction_.pipeline();
  if (query.name.empty() || query.era != session_.statement_era()) {
    query.name = session_.NextStatementName();
    query.era = session_.statement_era();
    RETURN_IF_ERROR(pipeline.Prepare(query.name, query.sql));
  }
  const std::string oid = absl::StrCat(table.target.oid);
  const PgParam param = {.data = oid.c_str(),
                         .size = static_cast<int>(oid.size())};
  return pipeline.SendPrepared(query.name, absl::MakeConstSpan(&param, 1),
                               std::move(on_result));
}

}  // namespace walferry
