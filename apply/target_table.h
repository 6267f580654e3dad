#ifndef APPLY_TARGET_TABLE_H_
#define APPLY_TARGET_TABLE_H_

// A table of the target, as far as applying changes to it must know it.

#include <cstddef>
#include <cstdint>
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
  uint32_t type_oid = 0;
  // The same, and for a domain the type below all its domains.
  std::string base_type;
  uint32_t base_type_oid = 0;
  // The array type of base_type, whose elements a comma divides; empty if there
  // is none, or base_type is an array itself.
  std::string array_type;
  // "OPERATOR(pg_catalog.=)": what makes two values equal for an index. Empty
  // for a type that has no such operator, or is made of one that has none:
  // json, xml, point, box, ...
  std::string equality;
  // Equal values look alike; not so 1.0 and 1.00, or 'a' and 'A' in citext.
  bool equal_is_identical = false;
  // `equality` is an operator of a hash opclass, too.
  bool hashes = false;
  // `equality` can use an index of the table: it is the first column of it.
  bool indexed = false;
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
  uint32_t oid = 0;
  // Of its columns, triggers and rules: with another one it has been altered.
  std::string fingerprint;
  // Of its rows as values; the type's name is the table's.
  uint32_t row_type_oid = 0;
  // Triggers (foreign keys are some, too) or rules of it, or triggers of its
  // partitions, fire in this session when its rows change.
  bool fires_triggers = false;
  // Unique or exclusion constraints beside the key, so that rows can collide
  // while many are updated at once.
  bool other_unique = false;
  // The columns (of `columns`) of those that are unique indexes without a
  // predicate or an expression and compare as the columns themselves do.
  std::vector<std::vector<size_t>> other_keys;
  std::vector<TargetColumn> columns;  // Live ones, in their order.
};

// The fingerprint of the table whose OID is $1; NULL if it is gone.
std::string TableFingerprintSql();

// Reads the catalog; the connection's search_path must be empty.
// kFailedPrecondition: no such relation, or one that changes cannot be applied
// to: not a table, or row-level security would hide rows from this role.
absl::StatusOr<TargetTable> ReadTargetTable(PgConnection& connection,
                                            const QualifiedName& name);

}  // namespace walferry

#endif  // APPLY_TARGET_TABLE_H_
