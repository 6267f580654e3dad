#ifndef APPLY_STATEMENT_CACHE_H_
#define APPLY_STATEMENT_CACHE_H_

// The prepared statements of a session, one set per table and shape.

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
#include "absl/strings/str_cat.h"
#include "apply/apply_session.h"
#include "apply/statement.h"
#include "apply/table_mapping.h"
#include "protocol/pg_pipeline.h"
#include "protocol/status.h"

namespace walferry {

struct PreparedStatement {
  std::string name;
  std::vector<StatementParameter> parameters;
};

// Preparing and dropping go through the pipeline ahead of the statements that
// need them and cost no round trip of their own. Bounded: what was not used
// for the longest time goes first.
//
// A `Shape` is all that the text depends on beside the table: a value with
// equality and hash, and BuildStatements(table, shape).
template <typename Shape>
class StatementCache {
 public:
  // The session outlives this.
  StatementCache(ApplySession& session, size_t max_shapes)
      : session_(session), max_shapes_(max_shapes) {}

  // The result lives until the next call.
  absl::StatusOr<const std::vector<PreparedStatement>*> Get(
      PgPipeline& pipeline, const std::shared_ptr<const TableMapping>& table,
      const Shape& shape);

 private:
  struct Key {
    const TableMapping* table;
    Shape shape;

    friend bool operator==(const Key&, const Key&) = default;
    template <typename H>
    friend H AbslHashValue(H h, const Key& key) {
      return H::combine(std::move(h), key.table, key.shape);
    }
  };
  struct Entry {
    std::shared_ptr<const TableMapping> table;  // Keeps the key's address.
    Shape shape;
    std::vector<PreparedStatement> statements;
  };

  void ForgetDropped();
  absl::Status DropUnused(PgPipeline& pipeline);

  ApplySession& session_;
  size_t max_shapes_;
  int64_t era_ = 0;           // Of the entries.
  std::list<Entry> entries_;  // The last used first.
  absl::flat_hash_map<Key, typename std::list<Entry>::iterator> index_;
};

template <typename Shape>
absl::StatusOr<const std::vector<PreparedStatement>*>
StatementCache<Shape>::Get(PgPipeline& pipeline,
                           const std::shared_ptr<const TableMapping>& table,
                           const Shape& shape) {
  ForgetDropped();
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
    RETURN_IF_ERROR(
        pipeline.Prepare(prepared.back().name, statement.sql, statement.types));
  }
  entries_.push_front(
      {.table = table, .shape = shape, .statements = std::move(prepared)});
  index_.emplace(Key{table.get(), shape}, entries_.begin());
  return &entries_.front().statements;
}

template <typename Shape>
void StatementCache<Shape>::ForgetDropped() {
  if (era_ == session_.statement_era()) return;
  era_ = session_.statement_era();
  index_.clear();
  entries_.clear();
}

template <typename Shape>
absl::Status StatementCache<Shape>::DropUnused(PgPipeline& pipeline) {
  while (entries_.size() >= max_shapes_) {
    const Entry& entry = entries_.back();
    for (const PreparedStatement& statement : entry.statements) {
      RETURN_IF_ERROR(
          pipeline.Send(absl::StrCat("DEALLOCATE ", statement.name)));
    }
    index_.erase(Key{entry.table.get(), entry.shape});
    entries_.pop_back();
  }
  return absl::OkStatus();
}

}  // namespace walferry

#endif  // APPLY_STATEMENT_CACHE_H_
