#include "apply/statement_cache.h"

#include "absl/strings/str_cat.h"
#include "protocol/status.h"

namespace walferry {

absl::StatusOr<const std::vector<PreparedStatement>*> StatementCache::Get(
    PgPipeline& pipeline, const std::shared_ptr<const TableMapping>& table,
    const ChangeShape& shape) {
  const auto found = index_.find(Key{table.get(), shape});
  if (found != index_.end()) {
    entries_.splice(entries_.begin(), entries_, found->second);
    return &entries_.front().statements;
  }
  RETURN_IF_ERROR(DropUnused(pipeline));
  std::vector<PreparedStatement> prepared;
  for (Statement& statement : BuildStatements(*table, shape)) {
    prepared.push_back({.name = session_.NextStatementName(),
                        .parameters = std::move(statement.parameters)});
    RETURN_IF_ERROR(pipeline.Prepare(prepared.back().name, statement.sql));
  }
  entries_.push_front({.table = table,
                       .shape = shape,
                       .statements = std::move(prepared),
                       .generation = generation_});
  index_.emplace(Key{table.get(), shape}, entries_.begin());
  return &entries_.front().statements;
}

void StatementCache::Clear() {
  for (const Entry& entry : entries_) {
    if (entry.generation == generation_) continue;  // May not exist.
    for (const PreparedStatement& statement : entry.statements) {
      to_drop_.push_back(statement.name);
    }
  }
  index_.clear();
  entries_.clear();
}

absl::Status StatementCache::DropUnused(PgPipeline& pipeline) {
  while (entries_.size() >= max_shapes_) {
    const Entry& entry = entries_.back();
    for (const PreparedStatement& statement : entry.statements) {
      to_drop_.push_back(statement.name);
    }
    index_.erase(Key{entry.table.get(), entry.shape});
    entries_.pop_back();
  }
  std::vector<std::string> to_drop;
  to_drop.swap(to_drop_);
  for (const std::string& name : to_drop) {
    RETURN_IF_ERROR(pipeline.Send(absl::StrCat("DEALLOCATE ", name)));
  }
  return absl::OkStatus();
}

}  // namespace walferry
