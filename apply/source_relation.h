#ifndef APPLY_SOURCE_RELATION_H_
#define APPLY_SOURCE_RELATION_H_

// A published relation as the source last described it.

#include <cstdint>
#include <string>
#include <vector>

#include "protocol/pgoutput.h"
#include "protocol/quoting.h"

namespace walferry {

struct SourceColumn {
  std::string name;
  bool key = false;  // Part of the replica identity.
  uint32_t type_oid = 0;
  int32_t type_modifier = -1;

  friend bool operator==(const SourceColumn&, const SourceColumn&) = default;
};

// Immutable once made; shared by the reader and the applier as
// shared_ptr<const SourceRelation>. A Relation message that says the same again
// must not make a new one: prepared statements hang on it.
struct SourceRelation {
  uint32_t id = 0;
  QualifiedName name;
  ReplicaIdentity identity = ReplicaIdentity::kDefault;
  std::vector<SourceColumn> columns;

  // Copies the message's names; the empty schema becomes pg_catalog.
  static SourceRelation From(const Relation& message);

  friend bool operator==(const SourceRelation&,
                         const SourceRelation&) = default;
};

}  // namespace walferry

#endif  // APPLY_SOURCE_RELATION_H_
