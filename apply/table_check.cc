#include "apply/table_check.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "apply/target_table.h"
#include "apply/text_needed.h"
#include "protocol/pg_pipeline.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {

TableCheck::TableCheck(ApplySession& session, TargetTransaction& transaction,
                       const TableCache& tables)
    : session_(session), transaction_(transaction), tables_(tables) {}

absl::Status TableCheck::Send(const TableMapping& table) {
  return Ask(table, /*binary=*/false);
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
    RETURN_IF_ERROR(Ask(*tables_.Find(*previous), /*binary=*/true));
  }
  return absl::OkStatus();
}

absl::Status TableCheck::Ask(const TableMapping& table, bool binary) {
  PgPipeline& pipeline = transaction_.pipeline();
  if (statement_.empty()) {
    statement_ = session_.NextStatementName();
    RETURN_IF_ERROR(pipeline.Prepare(statement_, TableFingerprintSql()));
  }
  const std::string oid = absl::StrCat(table.target.oid);
  const PgParam param = {.data = oid.c_str(),
                         .size = static_cast<int>(oid.size())};
  return pipeline.SendPrepared(
      statement_, absl::MakeConstSpan(&param, 1),
      [&table, binary](const PgResult& result) {
        if (result.rows() == 1 &&
            result.Text(0, 0) == table.target.fingerprint) {
          return absl::OkStatus();
        }
        const std::string altered = absl::StrCat(ToDisplay(table.target.name),
                                                 " of the target was altered");
        return binary ? TextNeededError(altered)
                      : absl::FailedPreconditionError(altered);
      });
}

}  // namespace walferry
