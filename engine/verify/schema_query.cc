#include "engine/verify/schema_query.h"

#include "absl/strings/str_cat.h"

namespace walferry {

std::string SchemaQuery::Sql() const {
  std::string sql = absl::StrCat("SELECT ", kind);
  for (const std::string* const part :
       {&schema, &relation, &name, &detail, &needed_schema, &needed_relation}) {
    absl::StrAppend(&sql, ", ", *part);
  }
  for (const SchemaFacet& facet : facets) {
    absl::StrAppend(&sql, ", ", facet.sql);
  }
  return absl::StrCat(sql, " ", from);
}

std::string NotOfExtension(absl::string_view catalog, absl::string_view oid) {
  return absl::StrCat(
      " NOT EXISTS (SELECT FROM pg_depend ext WHERE ext.classid = '", catalog,
      "'::regclass AND ext.objid = ", oid,
      " AND ext.objsubid = 0 AND ext.deptype = 'e')");
}

std::string NotOfInitdb(absl::string_view oid) {
  return absl::StrCat(" ", oid, " >= 16384");
}

std::string SortedSql(absl::string_view array) {
  return absl::StrCat(
      "(SELECT string_agg(e, ', ' ORDER BY e COLLATE \"C\") FROM unnest(",
      array, ") e)");
}

std::string FiringStateSql(absl::string_view state) {
  return absl::StrCat("CASE ", state,
                      " WHEN 'O' THEN 'enabled' WHEN 'D' THEN 'disabled'"
                      " WHEN 'R' THEN 'enabled for replication'"
                      " ELSE 'always enabled' END");
}

std::string PrivilegesSql(const SchemaQueryContext& context,
                          absl::string_view acl, absl::string_view owner) {
  const std::string word =
      "(e.privilege_type || CASE WHEN e.is_grantable THEN"
      " ' WITH GRANT OPTION' ELSE '' END) COLLATE \"C\"";
  return absl::StrCat(
      "(SELECT string_agg(g.who || ': ' || g.what, '; ' ORDER BY g.who COLLATE"
      " \"C\") FROM (SELECT CASE WHEN e.grantee = 0 THEN 'PUBLIC'"
      " WHEN e.grantee = ",
      owner,
      " THEN 'the owner' ELSE pg_get_userbyid(e.grantee)::text END AS who,"
      " string_agg(DISTINCT ",
      word, ", ', ' ORDER BY ", word, ") AS what FROM aclexplode(", acl, ") e",
      context.oldest < 170000 ? " WHERE e.privilege_type <> 'MAINTAIN'" : "",
      " GROUP BY 1) g)");
}

void AddCommonFacets(const SchemaQueryContext& context,
                     absl::string_view catalog, absl::string_view oid,
                     absl::string_view owner, absl::string_view acl,
                     absl::string_view acl_kind, SchemaQuery& query) {
  query.facets.push_back(
      {"comment", absl::StrCat("obj_description(", oid, ", '", catalog, "')")});
  if (context.owners && !owner.empty()) {
    query.facets.push_back(
        {"owner", absl::StrCat("pg_get_userbyid(", owner, ")")});
  }
  if (context.privileges && !acl.empty()) {
    query.facets.push_back(
        {"privileges",
         PrivilegesSql(context,
                       absl::StrCat("coalesce(", acl, ", acldefault('",
                                    acl_kind, "', ", owner, "))"),
                       owner)});
  }
}

}  // namespace walferry
