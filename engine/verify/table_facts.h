#ifndef ENGINE_VERIFY_TABLE_FACTS_H_
#define ENGINE_VERIFY_TABLE_FACTS_H_

// What the comparison of rows must know of one side's tables, beyond the
// catalog that a migration reads.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

// A unique index of plain columns that are not null.
struct UniqueKey {
  bool primary = false;
  struct Column {
    std::string name;
    // How its values are ordered: the same text on both sides, the same order.
    // "": nobody knows.
    std::string order;
  };
  std::vector<Column> columns;
};

struct PartitionTree {
  std::vector<QualifiedName> members;  // Of every depth and kind.
  size_t leaves = 0;                   // Members that hold rows, or seem to.
  // Members and their bounds, as one text.
  std::string shape;
};

struct TableFacts {
  // By OID; the best key first: the primary one, then the shortest.
  absl::flat_hash_map<uint32_t, std::vector<UniqueKey>> keys;
  absl::flat_hash_map<QualifiedName, PartitionTree> trees;  // By their roots.
  std::vector<QualifiedName> foreign_tables;
  // The output function of each column's type, by the type's OID: "int4out".
  // "": it takes a pseudo-type, for which a domain does not stand everywhere.
  absl::flat_hash_map<uint32_t, std::string> output_functions;
  // The type that a column's domain stands for in the end, by the domain's OID.
  absl::flat_hash_map<uint32_t, uint32_t> base_types;
  // Types of columns in whose values a float is somewhere, or which are one.
  absl::flat_hash_set<uint32_t> with_floats;
  // Names of columns by their table's OID, which are NOT NULL NOT VALID (since
  // 18): pg_attribute says that they are not null, and old rows may be.
  absl::flat_hash_map<uint32_t, absl::flat_hash_set<std::string>>
      unproven_not_null;
  // Where a table's rows are, by its OID: another place after TRUNCATE, or what
  // else has written it anew.
  absl::flat_hash_map<uint32_t, int64_t> filenodes;
  // pg_class.reltuples by OID; -1 (until 13 also 0): nobody has counted.
  absl::flat_hash_map<uint32_t, double> estimates;
};

absl::StatusOr<TableFacts> ReadTableFacts(PgConnection& session);

}  // namespace walferry

#endif  // ENGINE_VERIFY_TABLE_FACTS_H_
