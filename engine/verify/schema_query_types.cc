// Types, domains and collations.

#include "absl/strings/str_cat.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

constexpr absl::string_view kAttributes =
    "(SELECT string_agg(a.attname || ' ' || format_type(a.atttypid,"
    " a.atttypmod) || CASE WHEN a.attcollation <> at.typcollation THEN"
    " ' COLLATE ' || (SELECT l.collname FROM pg_collation l WHERE l.oid ="
    " a.attcollation) ELSE '' END, ', ' ORDER BY a.attnum)"
    " FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid"
    " WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped)";

constexpr absl::string_view kLabels =
    "(SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY"
    " e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)";

constexpr absl::string_view kRange =
    "(SELECT concat_ws(' ', format_type(r.rngsubtype, NULL), (SELECT o.opcname"
    " FROM pg_opclass o WHERE o.oid = r.rngsubopc), (SELECT l.collname FROM"
    " pg_collation l WHERE l.oid = r.rngcollation), nullif(r.rngcanonical::oid,"
    " 0)::regproc, nullif(r.rngsubdiff::oid, 0)::regproc) FROM pg_range r WHERE"
    " r.rngtypid = t.oid)";

constexpr absl::string_view kBase =
    "CASE WHEN t.typtype = 'b' THEN concat_ws(' ', t.typinput, t.typoutput,"
    " t.typreceive, t.typsend, t.typmodin, t.typmodout, t.typanalyze, t.typlen,"
    " t.typbyval, t.typalign, t.typstorage, t.typcategory, t.typispreferred,"
    " t.typdelim, CASE WHEN t.typelem <> 0 THEN format_type(t.typelem, NULL)"
    " END) END";

SchemaQuery Types(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END",
      .schema = "n.nspname",
      .relation = "t.typname",
      .name = "t.typname",
      .named_by_schema = true,
      .facets =
          {{"form",
            "CASE WHEN NOT t.typisdefined THEN 'shell' ELSE CASE"
            " t.typtype WHEN 'b' THEN 'base' WHEN 'c' THEN 'composite'"
            " WHEN 'd' THEN 'domain' WHEN 'e' THEN 'enum' WHEN 'r' THEN"
            " 'range' ELSE t.typtype::text END END"},
           {"labels", std::string(kLabels)},
           {"attributes", std::string(kAttributes)},
           {"comments on attributes",
            "(SELECT string_agg(a.attname || ': ' || "
            "col_description(t.typrelid,"
            " a.attnum), '; ' ORDER BY a.attnum) FROM pg_attribute a WHERE"
            " a.attrelid = t.typrelid AND a.attnum > 0)"},
           {"subtype", std::string(kRange)},
           {"base type",
            "CASE WHEN t.typtype = 'd' THEN"
            " format_type(t.typbasetype, t.typtypmod) END"},
           {"nullability", "CASE WHEN t.typnotnull THEN 'NOT NULL' END"},
           {"default",
            "CASE WHEN t.typtype = 'd' THEN"
            " pg_get_expr(t.typdefaultbin, 0) ELSE t.typdefault"
            " END"},
           {"collation",
            "(SELECT l.collname FROM pg_collation l WHERE l.oid ="
            " t.typcollation)"},
           {"implementation", std::string(kBase)}},
      .from = absl::StrCat(
          "FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
          " LEFT JOIN pg_class c ON c.oid = t.typrelid"
          " WHERE t.typtype IN ('b', 'c', 'd', 'e', 'r', 'p')"
          " AND (t.typrelid = 0 OR c.relkind = 'c') AND NOT EXISTS"
          " (SELECT FROM pg_type e WHERE e.typarray = t.oid) AND",
          kUserSchema, " AND", NotOfExtension("pg_type", "t.oid"))};
  if (context.oldest >= 140000) {  // Older ranges have no multirange.
    query.facets.push_back({"multirange type",
                            "(SELECT format_type(r.rngmultitypid, NULL) FROM"
                            " pg_range r WHERE r.rngtypid = t.oid)"});
  }
  AddCommonFacets(context, "pg_type", "t.oid", "t.typowner", "t.typacl", "T",
                  query);
  return query;
}

// The locale's name lies elsewhere in each version, and those of ICU are
// written as language tags since 16.
std::string LocaleSql(const SchemaQueryContext& context) {
  return absl::StrCat(
      "CASE WHEN l.collprovider = 'i' THEN replace(",
      context.Since(170000, "l.colllocale",
                    context.Since(150000, "l.colliculocale", "l.collcollate")),
      ", '_', '-') WHEN l.collprovider = 'b' THEN ",
      context.Since(170000, "l.colllocale", "''"),
      " ELSE concat_ws(' ', l.collcollate, l.collctype) END");
}

SchemaQuery Collations(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'collation'",
      .schema = "n.nspname",
      .name = "l.collname",
      .facets = {{"provider",
                  "CASE l.collprovider WHEN 'i' THEN 'icu' WHEN 'c'"
                  " THEN 'libc' WHEN 'b' THEN 'builtin' ELSE"
                  " 'default' END"},
                 {"locale", LocaleSql(context)},
                 {"determinism",
                  context.Since(120000,
                                "CASE WHEN NOT l.collisdeterministic THEN"
                                " 'nondeterministic' END",
                                "''")},
                 {"rules", context.Since(160000, "l.collicurules", "''")},
                 {"version", "l.collversion"}},
      .from = absl::StrCat(
          "FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace"
          " WHERE",
          kUserSchema, " AND", NotOfExtension("pg_collation", "l.oid"))};
  AddCommonFacets(context, "pg_collation", "l.oid", "l.collowner", "", "",
                  query);
  return query;
}

}  // namespace

std::vector<SchemaQuery> TypeQueries(const SchemaQueryContext& context) {
  return {Types(context), Collations(context)};
}

}  // namespace walferry
