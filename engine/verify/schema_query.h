#ifndef ENGINE_VERIFY_SCHEMA_QUERY_H_
#define ENGINE_VERIFY_SCHEMA_QUERY_H_

// What is read of each kind of object to compare it with the other database's.
//
// The queries expect an empty search_path, as pg_get_viewdef() and its like
// write names by it, and serve any server from version 10 on.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"

namespace walferry {

// Which databases are compared, and what for.
struct SchemaQueryContext {
  int version = 0;  // Of the server that is asked, ...
  int oldest = 0;   // ... and of the older one of both.
  bool privileges = false;
  bool owners = false;

  // `newer` where the server is at least of `version`.
  std::string Since(int since, absl::string_view newer,
                    absl::string_view before) const {
    return std::string(version >= since ? newer : before);
  }
};

// A column of the result: what of an object is compared. A facet that only one
// side's query has is not.
struct SchemaFacet {
  std::string name;  // As in "differs in its type".
  std::string sql;   // text or anything else; NULL is "".
};

struct SchemaQuery {
  std::string kind;  // SQL, of text.
  std::string schema = "''";
  // The table, view or type that the object is a part of, or "".
  std::string relation = "''";
  std::string name;
  std::string detail = "''";  // Follows the name: arguments.
  // What the object is also out of scope with.
  std::string needed_schema = "''";
  std::string needed_relation = "''";
  // Shown as schema.name even where there is a relation.
  bool named_by_schema = false;
  std::vector<SchemaFacet> facets;
  std::string from;  // From FROM on.

  std::string Sql() const;
};

// By topic; each is asked of both sides.
std::vector<SchemaQuery> TableQueries(const SchemaQueryContext& context);
std::vector<SchemaQuery> TablePartQueries(const SchemaQueryContext& context);
std::vector<SchemaQuery> RoutineQueries(const SchemaQueryContext& context);
std::vector<SchemaQuery> TypeQueries(const SchemaQueryContext& context);
std::vector<SchemaQuery> TextSearchQueries(const SchemaQueryContext& context);
std::vector<SchemaQuery> DatabaseQueries(const SchemaQueryContext& context);

// Pieces of them.

// Namespace `n` is no system's.
inline constexpr absl::string_view kUserSchema =
    " n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'";
// No extension made it: 'pg_class', 'c.oid'.
std::string NotOfExtension(absl::string_view catalog, absl::string_view oid);
// What initdb made has lower numbers.
std::string NotOfInitdb(absl::string_view oid);
// An array of texts as one, in a fixed order.
std::string SortedSql(absl::string_view array);
// tgenabled and its like in words.
std::string FiringStateSql(absl::string_view state);

// Adds comment, owner and privileges, the latter two if asked. `acl_kind` is
// acldefault()'s; empty `owner` or `acl`: the kind has none.
void AddCommonFacets(const SchemaQueryContext& context,
                     absl::string_view catalog, absl::string_view oid,
                     absl::string_view owner, absl::string_view acl,
                     absl::string_view acl_kind, SchemaQuery& query);
// What an ACL grants, in words and a fixed order, whoever granted it. Without
// MAINTAIN, if one of both servers is older than it (17).
std::string PrivilegesSql(const SchemaQueryContext& context,
                          absl::string_view acl, absl::string_view owner);

}  // namespace walferry

#endif  // ENGINE_VERIFY_SCHEMA_QUERY_H_
