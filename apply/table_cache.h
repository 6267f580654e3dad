#ifndef APPLY_TABLE_CACHE_H_
#define APPLY_TABLE_CACHE_H_

// The target tables that a stream's relations map to, read from the target's
// catalog once per shape of the relation.

#include <cstdint>
#include <memory>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "apply/table_mapping.h"
#include "protocol/pg_connection.h"

namespace walferry {

// The target gives no notice when its tables are altered: Clear() when a
// statement's error says so.
class TableCache {
 public:
  // The connection outlives this; its search_path is empty.
  explicit TableCache(PgConnection& connection) : connection_(connection) {}

  // Relations are known by their address only as long as their batch lives:
  // call it before each.
  void StartBatch() { by_address_.clear(); }

  // Null unless Load()ed since StartBatch().
  std::shared_ptr<const TableMapping> Find(
      const SourceRelation& relation) const;

  // Must not be called while the connection is in pipeline mode.
  absl::StatusOr<std::shared_ptr<const TableMapping>> Load(
      const SourceRelation& relation);

  void Clear();

 private:
  PgConnection& connection_;
  absl::flat_hash_map<const SourceRelation*,
                      std::shared_ptr<const TableMapping>>
      by_address_;
  // The latest shape of each, by the relation's OID on the source.
  absl::flat_hash_map<uint32_t, std::shared_ptr<const TableMapping>> by_id_;
};

}  // namespace walferry

#endif  // APPLY_TABLE_CACHE_H_
