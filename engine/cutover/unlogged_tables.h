#ifndef ENGINE_CUTOVER_UNLOGGED_TABLES_H_
#define ENGINE_CUTOVER_UNLOGGED_TABLES_H_

// Tables whose changes are in no log: they are copied once more, from the
// still source, and looked at again after that.

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/catalog/catalog.h"
#include "engine/copy/copy_session.h"
#include "engine/ledger/ledger_sql.h"
#include "protocol/quoting.h"

namespace walferry {

class UnloggedTables {
 public:
  // `encoding` is the source's server_encoding. `sealed`: the target's rows may
  // not be written any more (MigrationRun::sealed_).
  UnloggedTables(CopySessionOptions session, std::string encoding, bool sealed)
      : session_(std::move(session)),
        encoding_(std::move(encoding)),
        sealed_(sealed) {}

  // Replaces the target's rows of every unlogged table that is in scope; of a
  // sealed target it makes sure that they are the source's still
  // (WrittenTooLate).
  absl::Status Copy(const Catalog& catalog);

  // No row of them was written on the source since Copy().
  absl::StatusOr<bool> Unchanged(const Catalog& catalog);

 private:
  absl::Status CopyTable(const CatalogTable& table);
  absl::Status CheckTable(const CatalogTable& table);
  LedgerSql Sql() const;

  const CopySessionOptions session_;
  const std::string encoding_;
  const bool sealed_;
  // What the copied rows were, see kFingerprint.
  absl::flat_hash_map<QualifiedName, std::string> copied_;
};

}  // namespace walferry

#endif  // ENGINE_CUTOVER_UNLOGGED_TABLES_H_
