#ifndef ENGINE_VERIFY_REPAIR_TABLE_H_
#define ENGINE_VERIFY_REPAIR_TABLE_H_

// What a repair must know of a table on the target.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/verify/table_pairs.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

struct RepairTable {
  const TablePair* pair = nullptr;
  // Names of TablePair::columns that statements may write: those that the
  // target does not generate, ...
  std::vector<std::string> written;
  // ... and that it does.
  std::vector<std::string> generated;
  // A row that differs in one of them is deleted and inserted anew: columns of
  // unique indexes, so that rows may exchange values, and GENERATED ALWAYS AS
  // IDENTITY, which takes no UPDATE.
  absl::flat_hash_set<std::string> replaced;
  // That only the target has, with values that a row deleted would lose.
  std::vector<std::string> own;
  // What would act on written rows, so that they or other tables' rows become
  // others: "trigger a", "rule b", "foreign key c of public.lines".
  std::vector<std::string> acting;
};

// The pair outlives it. The session's search_path is empty. `replica_role`:
// session_replication_role will be "replica" and not "origin".
absl::StatusOr<RepairTable> ReadRepairTable(PgConnection& target,
                                            const TablePair& pair,
                                            bool replica_role);

// Whether the role may set session_replication_role. In a transaction, which
// stays as it is.
absl::StatusOr<bool> MayBeReplica(PgConnection& target);

// By name: greater than that of every table that it refers to by a foreign key,
// as far as they do not refer to one another.
absl::StatusOr<absl::flat_hash_map<QualifiedName, int>> ForeignKeyRanks(
    PgConnection& target);

}  // namespace walferry

#endif  // ENGINE_VERIFY_REPAIR_TABLE_H_
