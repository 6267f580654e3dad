#ifndef ENGINE_COPY_TOUCHED_KEYS_H_
#define ENGINE_COPY_TOUCHED_KEYS_H_

// Collects from a slot's stream the keys of rows that were updated or deleted.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/catalog/catalog.h"
#include "protocol/lsn.h"
#include "protocol/pg_connection.h"
#include "protocol/pgoutput.h"
#include "protocol/replication_stream.h"

namespace walferry {

// The keys go into temporary tables on the target as they come: memory stays
// bounded, whatever the slot holds.
//
//   TouchedKeys keys(target);
//   ASSIGN_OR_RETURN(int table, keys.Add(orders, orders_lsn));
//   RETURN_IF_ERROR(keys.Read(stream, until, on_progress));
//   RETURN_IF_ERROR(keys.Flush());
//   ... keys.TempTable(table) ...
class TouchedKeys {
 public:
  // The connection outlives this and has the encoding of the stream.
  explicit TouchedKeys(PgConnection& target) : target_(target) {}

  // Wants the keys of one table, from transactions that committed at `from` or
  // later; `table` outlives this. Creates the temporary table, with the types
  // of the target's key columns. Returns its number here.
  absl::StatusOr<size_t> Add(const CatalogTable& table, Lsn from);

  // Reads the transactions that committed before `until` and acknowledges
  // nothing. `on_progress` is called often with the position reached.
  absl::Status Read(ReplicationStream& stream, Lsn until,
                    absl::FunctionRef<void(Lsn)> on_progress);

  // Writes what is still in memory.
  absl::Status Flush();

  // "pg_temp.walferry_keys_0": duplicates are possible.
  static std::string TempTable(size_t table);
  // Rows in it.
  int64_t count(size_t table) const { return tables_[table].count; }
  // Why the keys do not tell all that happened to the table, or "".
  const std::string& trouble(size_t table) const {
    return tables_[table].trouble;
  }

 private:
  struct Table {
    const CatalogTable* table = nullptr;
    Lsn from;
    // Where the key's columns stand in a row, in the order of the key.
    std::vector<size_t> key_positions;
    absl::flat_hash_set<std::string> lines;  // COPY text.
    int64_t count = 0;
    std::string trouble;
  };

  absl::StatusOr<bool> Take(absl::string_view payload, Lsn until);
  void Describe(const Relation& relation);
  void Touch(uint32_t relation_id, const TupleView& row);
  void Truncated(const RelationIds& ids);
  Table* Wanted(uint32_t relation_id);
  std::optional<std::string> KeyLine(const Table& table, const TupleView& row);

  PgConnection& target_;
  std::vector<Table> tables_;
  absl::flat_hash_map<uint32_t, size_t> by_relation_;
  Lsn commit_lsn_;  // Of the transaction that is being read.
  size_t bytes_ = 0;
};

}  // namespace walferry

#endif  // ENGINE_COPY_TOUCHED_KEYS_H_
