#ifndef ENGINE_CATALOG_CATALOG_H_
#define ENGINE_CATALOG_CATALOG_H_

// What a database holds, as far as a migration must know it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/scope.h"
#include "protocol/pg_connection.h"
#include "protocol/pgoutput.h"
#include "protocol/quoting.h"

namespace walferry {

struct CatalogColumn {
  std::string name;
  int attnum = 0;
  uint32_t type_oid = 0;
  std::string type;  // format_type() with modifier, schema-qualified.
  bool not_null = false;
  char generated = 0;  // 's' stored, 'v' virtual, 0 neither.
  char identity = 0;   // 'a' always, 'd' by default, 0 neither.
};

// A table that holds rows itself: ordinary, or a leaf partition. Partitioned
// parents hold none and appear in Catalog::partitioned only.
struct CatalogTable {
  uint32_t oid = 0;
  QualifiedName name;
  bool unlogged = false;
  bool is_partition = false;
  ReplicaIdentity identity = ReplicaIdentity::kDefault;
  // Name of the index of REPLICA IDENTITY USING INDEX, or "".
  std::string identity_index;
  // Columns of the key that UPDATE and DELETE can be found by: primary key or
  // identity index; empty for FULL, NOTHING or none.
  std::vector<std::string> key;
  // UPDATE and DELETE can be published: a key, or FULL.
  bool has_usable_identity = false;
  int64_t bytes = 0;  // pg_table_size(): heap, TOAST, maps.
  // Of the heap: pg_relation_size() / block size. 0 where the access method is
  // another one: such a table cannot be read in block ranges.
  int64_t blocks = 0;
  double rows_estimate = 0;  // pg_class.reltuples, at least 0.
  uint32_t relfilenode = 0;  // pg_class, under the caller's snapshot.
  bool copy_data = true;     // Scope::IncludesData.
  bool delayed = false;      // Scope::DelaysData.
  // Of an extension's configuration table: "WHERE ..." if only those rows are
  // the user's and the extension itself brings the others, else "".
  std::string config_condition;
  std::vector<CatalogColumn> columns;  // Live ones, by attnum.

  // The columns that are copied and streamed: all but generated ones.
  std::vector<std::string> StoredColumns() const;
};

struct CatalogSequence {
  uint32_t oid = 0;
  QualifiedName name;
  // The owning table's column (serial, identity), or empty names.
  QualifiedName owner_table;
  std::string owner_column;
};

struct CatalogMaterializedView {
  uint32_t oid = 0;
  QualifiedName name;
  bool populated = true;
  // It reads delayed tables, or calls functions that may.
  bool delayed = false;
};

struct CatalogForeignKey {
  uint32_t oid = 0;         // pg_constraint.
  uint32_t table = 0;       // That has it, ...
  uint32_t referenced = 0;  // ... and that it refers to.
};

// Relations whose rows come last, by OID, and what hangs on them. All of it is
// empty if there are none.
struct DelayedRelations {
  // Tables, and partitioned parents all of whose partitions are.
  absl::flat_hash_set<uint32_t> whole;
  // Partitioned parents of any of these.
  absl::flat_hash_set<uint32_t> in_part;
  // From or to any of them.
  std::vector<CatalogForeignKey> foreign_keys;

  bool empty() const { return whole.empty(); }
  bool Contains(uint32_t oid) const {
    return whole.contains(oid) || in_part.contains(oid);
  }
};

struct Catalog {
  std::vector<CatalogTable> tables;  // In scope, by name.
  std::vector<QualifiedName> partitioned;
  std::vector<CatalogSequence> sequences;
  // So ordered that each comes after those it reads.
  std::vector<CatalogMaterializedView> materialized_views;
  // Tables of all kinds, views and what they own that are out of scope; for
  // pg_dump's exclusions.
  std::vector<QualifiedName> excluded_tables;
  std::vector<std::string> excluded_schemas;
  DelayedRelations delayed;

  const CatalogTable* Find(const QualifiedName& table) const;
};

// Sizes need a lock of every table, and wait behind whoever rewrites one;
// without them `blocks` and `bytes` stay 0.
enum class CatalogSizes { kNo, kYes };

// Reads the catalog under whatever snapshot the connection's transaction has,
// of a server of version 10 or later; also over a walsender connection. Objects
// that belong to extensions are left out (the extension creates them), but for
// tables that it marks as configuration (pg_extension.extconfig).
absl::StatusOr<Catalog> ReadCatalog(PgConnection& connection,
                                    const Scope& scope,
                                    CatalogSizes sizes = CatalogSizes::kYes);

// The table's shape (name, columns, types, identity, generated and identity
// columns) as one text, equal exactly when nothing that a stream depends on
// differs.
std::string ShapeOf(const CatalogTable& table);

// What differs between two readings of one database, for a person: clauses
// joined by "; ": 'public.t: column "a" was renamed to "b"; public.u:
// vanished'.
// "" when the tables are the same ones and every shape is the same.
std::string DescribeShapeDifference(const Catalog& before,
                                    const Catalog& after);

}  // namespace walferry

#endif  // ENGINE_CATALOG_CATALOG_H_
