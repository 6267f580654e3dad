#ifndef ENGINE_VERIFY_SCHEMA_OBJECTS_H_
#define ENGINE_VERIFY_SCHEMA_OBJECTS_H_

// A database's objects as they are compared: by kind and name, with facets.

#include <map>
#include <string>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "engine/verify/schema_query.h"
#include "protocol/pg_connection.h"
#include "protocol/quoting.h"

namespace walferry {

struct SchemaObject {
  std::string kind;
  std::string name;        // For a person: "public.orders.id".
  QualifiedName relation;  // What it is a part of, itself too; or no name.
  QualifiedName own_name;
  std::map<std::string, std::string> facets;
};

// By kind and name.
using SchemaObjects =
    std::map<std::pair<std::string, std::string>, SchemaObject>;

// What is not compared on either side.
struct SchemaExclusions {
  absl::flat_hash_set<std::string> schemas;
  absl::flat_hash_set<QualifiedName> relations;
};

// Expects an empty search_path and settings under which text is the same on
// every server.
absl::StatusOr<SchemaObjects> ReadSchemaObjects(
    PgConnection& connection, const SchemaQueryContext& context,
    const SchemaExclusions& exclusions);

// Between the names of the facet "order of columns".
inline constexpr char kColumnDivider = '\x01';

}  // namespace walferry

#endif  // ENGINE_VERIFY_SCHEMA_OBJECTS_H_
