#ifndef ENGINE_UNLOGGED_TABLES_H_
#define ENGINE_UNLOGGED_TABLES_H_

// Tables whose changes are in no log: they are copied once more, from the
// still source, and looked at again after that.

#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/catalog.h"
#include "engine/copy_session.h"
#include "protocol/quoting.h"

namespace walferry {

class UnloggedTables {
 public:
  // `encoding` is the source's server_encoding.
  UnloggedTables(CopySessionOptions session, std::string encoding)
      : session_(std::move(session)), encoding_(std::move(encoding)) {}

  // Replaces the target's rows of every unlogged table that is in scope.
  absl::Status Copy(const Catalog& catalog);

  // No row of them was written on the source since Copy().
  absl::StatusOr<bool> Unchanged(const Catalog& catalog);

 private:
  absl::Status CopyTable(const CatalogTable& table);

  const CopySessionOptions session_;
  const std::string encoding_;
  // What the copied rows were, see kFingerprint.
  absl::flat_hash_map<QualifiedName, std::string> copied_;
};

}  // namespace walferry

#endif  // ENGINE_UNLOGGED_TABLES_H_
