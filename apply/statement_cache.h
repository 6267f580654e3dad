#ifndef APPLY_STATEMENT_CACHE_H_
#define APPLY_STATEMENT_CACHE_H_

// The prepared statements of a session, one set per table and shape of change.

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "apply/apply_session.h"
#include "apply/change_shape.h"
#include "apply/statement.h"
#include "apply/table_mapping.h"
#include "protocol/pg_pipeline.h"

namespace walferry {

struct PreparedStatement {
  std::string name;
  std::vector<StatementParameter> parameters;
};

// Preparing and dropping go through the pipeline ahead of the statements that
// need them and cost no round trip of their own. Bounded: what was not used
// for the longest time goes first.
class StatementCache {
 public:
  // The session outlives this.
  StatementCache(ApplySession& session, size_t max_shapes)
      : session_(session), max_shapes_(max_shapes) {}

  // The result lives until the next call.
  absl::StatusOr<const std::vector<PreparedStatement>*> Get(
      PgPipeline& pipeline, const std::shared_ptr<const TableMapping>& table,
      const ChangeShape& shape);

  // All that was prepared has arrived at the server.
  void Confirm() { ++generation_; }

  // Forgets all statements, e.g. when the pipeline failed and nobody knows
  // which of the last ones exist. Those that do are dropped by the next Get.
  void Clear();

 private:
  struct Key {
    const TableMapping* table;
    ChangeShape shape;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.table, key.shape);
    }
  };
  struct Entry {
    std::shared_ptr<const TableMapping> table;  // Keeps the key's address.
    ChangeShape shape;
    std::vector<PreparedStatement> statements;
    int64_t generation;
  };

  absl::Status DropUnused(PgPipeline& pipeline);

  ApplySession& session_;
  size_t max_shapes_;
  int64_t generation_ = 0;
  std::list<Entry> entries_;  // The last used first.
  absl::flat_hash_map<Key, std::list<Entry>::iterator> index_;
  std::vector<std::string> to_drop_;
};

}  // namespace walferry

#endif  // APPLY_STATEMENT_CACHE_H_
