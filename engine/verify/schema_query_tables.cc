// Relations: tables, views, sequences, and their columns.

#include "absl/strings/str_cat.h"
#include "engine/connect/old_servers.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

constexpr absl::string_view kParents =
    "(SELECT string_agg(pn.nspname || '.' || p.relname, ', ' ORDER BY"
    " i.inhseqno) FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent"
    " JOIN pg_namespace pn ON pn.oid = p.relnamespace"
    " WHERE i.inhrelid = c.oid)";

constexpr absl::string_view kReplicaIdentity =
    "CASE c.relreplident WHEN 'd' THEN 'default' WHEN 'f' THEN 'full'"
    " WHEN 'n' THEN 'nothing' ELSE 'index ' || (SELECT ic.relname"
    " FROM pg_index ix JOIN pg_class ic ON ic.oid = ix.indexrelid"
    " WHERE ix.indrelid = c.oid AND ix.indisreplident) END";

std::string StorageParametersSql() {
  return absl::StrCat(
      "concat_ws(', ', ", SortedSql("c.reloptions"), ", ",
      "(SELECT string_agg('toast.' || e, ', ' ORDER BY e COLLATE \"C\")"
      " FROM pg_class o, unnest(o.reloptions) e WHERE o.oid ="
      " c.reltoastrelid))");
}

SchemaQuery Tables(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "c.relname",
      .named_by_schema = true,
      .facets = {{"partitioning", "pg_get_partkeydef(c.oid)"},
                 // A partitioned table's own says nothing.
                 {"persistence",
                  "CASE WHEN c.relpersistence = 'u' AND c.relkind <>"
                  " 'p' THEN 'unlogged' ELSE 'permanent' END"},
                 {"parents", std::string(kParents)},
                 {"partition bounds", "pg_get_expr(c.relpartbound, c.oid)"},
                 {"row security",
                  "CASE WHEN c.relrowsecurity THEN 'enabled' END"},
                 {"forced row security",
                  "CASE WHEN c.relforcerowsecurity THEN 'forced' END"},
                 {"replica identity", std::string(kReplicaIdentity)},
                 {"access method",
                  absl::StrCat("CASE WHEN c.relkind = 'r' THEN ",
                               TableMethodSql(context.version), " END")},
                 {"storage parameters", StorageParametersSql()},
                 {"row type",
                  "CASE WHEN c.reloftype <> 0 THEN"
                  " format_type(c.reloftype, NULL) END"},
                 {"server", "s.srvname"},
                 {"options", SortedSql("f.ftoptions")},
                 {"order of columns",
                  "(SELECT string_agg(a.attname, chr(1) ORDER BY a.attnum) FROM"
                  " pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0"
                  " AND NOT a.attisdropped)"}},
      .from = absl::StrCat(
          "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_am m ON m.oid = c.relam"
          " LEFT JOIN pg_foreign_table f ON f.ftrelid = c.oid"
          " LEFT JOIN pg_foreign_server s ON s.oid = f.ftserver"
          " WHERE c.relkind IN ('r', 'p', 'f') AND c.relpersistence <> 't' AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_class", "c.oid", "c.relowner", "c.relacl", "r",
                  query);
  return query;
}

SchemaQuery Views(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind =
          "CASE c.relkind WHEN 'm' THEN 'materialized view' ELSE 'view'"
          " END",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "c.relname",
      .named_by_schema = true,
      .facets = {{"definition", "pg_get_viewdef(c.oid)"},
                 {"populated", "c.relispopulated"},
                 {"access method",
                  absl::StrCat("CASE WHEN c.relkind = 'm' THEN ",
                               TableMethodSql(context.version), " END")},
                 {"options", StorageParametersSql()}},
      .from = absl::StrCat(
          "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_am m ON m.oid = c.relam"
          " WHERE c.relkind IN ('v', 'm') AND c.relpersistence <> 't' AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_class", "c.oid", "c.relowner", "c.relacl", "r",
                  query);
  return query;
}

// A NOT NULL of version 18 may be one that old rows do not obey.
std::string NotNullSql(const SchemaQueryContext& context) {
  return context.Since(
      180000,
      "CASE WHEN a.attnotnull THEN CASE WHEN EXISTS (SELECT FROM pg_constraint"
      " k WHERE k.conrelid = c.oid AND k.contype = 'n' AND k.conkey ="
      " ARRAY[a.attnum] AND NOT k.convalidated) THEN 'NOT NULL NOT VALID'"
      " ELSE 'NOT NULL' END END",
      "CASE WHEN a.attnotnull THEN 'NOT NULL' END");
}

SchemaQuery Columns(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'column'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "a.attname",
      .facets = {{"type", "format_type(a.atttypid, a.atttypmod)"},
                 {"nullability", NotNullSql(context)},
                 {"default", "pg_get_expr(d.adbin, d.adrelid)"},
                 {"generation",
                  absl::StrCat("CASE ", GeneratedSql(context.version),
                               " WHEN 's' THEN 'stored' WHEN 'v' THEN"
                               " 'virtual' END")},
                 // A partition has its parent's since version 17, none before.
                 {"identity",
                  "CASE WHEN NOT c.relispartition THEN CASE a.attidentity"
                  " WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END"
                  " END"},
                 {"collation",
                  "CASE WHEN a.attcollation <> t.typcollation THEN"
                  " (SELECT ln.nspname || '.' || l.collname"
                  " FROM pg_collation l JOIN pg_namespace ln ON ln.oid ="
                  " l.collnamespace WHERE l.oid = a.attcollation) END"},
                 {"statistics target", "nullif(a.attstattarget, -1)"},
                 {"storage",
                  "CASE WHEN a.attstorage <> t.typstorage THEN"
                  " CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN"
                  " 'external' WHEN 'm' THEN 'main' ELSE 'extended' END"
                  " END"},
                 {"compression",
                  context.Since(
                      140000,
                      "CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l'"
                      " THEN 'lz4' WHEN '' THEN '' ELSE"
                      " a.attcompression::text END",
                      "''")},
                 {"parameters", SortedSql("a.attoptions")},
                 {"options", SortedSql("a.attfdwoptions")},
                 {"comment", "col_description(a.attrelid, a.attnum)"}},
      .from = absl::StrCat(
          "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " JOIN pg_type t ON t.oid = a.atttypid"
          " LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid"
          " AND d.adnum = a.attnum WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')"
          " AND c.relpersistence <> 't' AND a.attnum > 0"
          " AND NOT a.attisdropped AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  if (context.privileges) {
    query.facets.push_back(
        {"privileges", PrivilegesSql(context, "a.attacl", "c.relowner")});
  }
  return query;
}

SchemaQuery Sequences(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'sequence'",
      .schema = "n.nspname",
      .relation = "coalesce(o.relname, '')",
      .name = "c.relname",
      .named_by_schema = true,
      .facets = {{"type", "format_type(s.seqtypid, NULL)"},
                 {"start", "s.seqstart"},
                 {"increment", "s.seqincrement"},
                 {"minimum", "s.seqmin"},
                 {"maximum", "s.seqmax"},
                 {"cache", "s.seqcache"},
                 {"cycle", "CASE WHEN s.seqcycle THEN 'cycle' END"},
                 {"owning column", "o.relname || '.' || a.attname"}},
      .from = absl::StrCat(
          "FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
          " AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass"
          " AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0"
          " LEFT JOIN pg_class o ON o.oid = d.refobjid"
          " LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid"
          " AND a.attnum = d.refobjsubid WHERE c.relpersistence <> 't' AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  if (context.oldest >= 150000) {  // No sequence is unlogged before that.
    query.facets.push_back(
        {"persistence",
         "CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' "
         "END"});
  }
  AddCommonFacets(context, "pg_class", "c.oid", "c.relowner", "c.relacl", "s",
                  query);
  return query;
}

}  // namespace

std::vector<SchemaQuery> TableQueries(const SchemaQueryContext& context) {
  return {Tables(context), Views(context), Columns(context),
          Sequences(context)};
}

}  // namespace walferry
