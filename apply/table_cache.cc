#include "apply/table_cache.h"

#include <utility>

#include "apply/target_table.h"
#include "protocol/status.h"

namespace walferry {

std::shared_ptr<const TableMapping> TableCache::Find(
    const SourceRelation& relation) const {
  const auto found = by_address_.find(&relation);
  return found == by_address_.end() ? nullptr : found->second;
}

absl::StatusOr<std::shared_ptr<const TableMapping>> TableCache::Load(
    const SourceRelation& relation) {
  std::shared_ptr<const TableMapping>& latest = by_id_[relation.id];
  if (latest == nullptr || latest->source != relation) {
    ASSIGN_OR_RETURN(TargetTable table,
                     ReadTargetTable(connection_, relation.name));
    ASSIGN_OR_RETURN(TableMapping mapping,
                     MapTable(relation, std::move(table)));
    latest = std::make_shared<const TableMapping>(std::move(mapping));
  }
  by_address_[&relation] = latest;
  return latest;
}

void TableCache::Clear() {
  by_address_.clear();
  by_id_.clear();
}

}  // namespace walferry
