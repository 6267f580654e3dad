#ifndef APPLY_TARGET_TABLE_H_
#define APPLY_TARGET_TABLE_H_

// A table of the target, as far as applying changes to it must know it.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

struct TargetColumn {
  std::string name;
  // "schema.type" quoted for SQL, never with a modifier: a cast to it neither
  // cuts nor rounds.
  std::string type;
  // The same, and for a domain the type below all its domains.
  std::string base_type;
  // "OPERATOR(pg_catalog.=)": what makes two values equal for an index. Empty
  // for a type that has no such operator, or is made of one that has none:
  // json, xml, point, box, ...
  std::string equality;
  // Equal values look alike; not so 1.0 and 1.00, or 'a' and 'A' in citext.
  bool equal_is_identical = false;
  // GENERATED ALWAYS AS (expression), stored or virtual.
  bool generated = false;
  // GENERATED ALWAYS AS IDENTITY.
  bool identity_always = false;
  // Part of the replica identity index, or else of the primary key.
  bool key = false;

  friend bool operator==(const TargetColumn&, const TargetColumn&) = default;
};

struct TargetTable {
  QualifiedName name;
  // Rows are in partitions; otherwise only the table's own rows count, and not
  // those of tables that inherit from it.
  bool partitioned = false;
  std::vector<TargetColumn> columns;  // Live ones, in their order.
};

// Reads the catalog; the connection's search_path must be empty.
// kFailedPrecondition: no such relation, or one that changes cannot be applied
// to: not a table, or row-level security would hide rows from this role.
absl::StatusOr<TargetTable> ReadTargetTable(PgConnection& connection,
                                            const QualifiedName& name);

}  // namespace walferry

#endif  // APPLY_TARGET_TABLE_H_
