// What belongs to a relation: constraints, indexes, triggers, rules, policies,
// extended statistics.

#include "absl/strings/str_cat.h"
#include "engine/connect/old_servers.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

// NOT VALID and NOT ENFORCED are facets of their own.
constexpr absl::string_view kConstraintDefinition =
    "regexp_replace(pg_get_constraintdef(k.oid),"
    " '( NOT VALID| NOT ENFORCED)+$', '')";

std::string EnforcedSql(const SchemaQueryContext& context) {
  return context.Since(180000, "k.conenforced", "true");
}

// What nobody enforces is not valid either, which says nothing more.
std::string ValidSql(const SchemaQueryContext& context) {
  return absl::StrCat("(k.convalidated OR NOT ", EnforcedSql(context), ")");
}

// NOT NULL, a constraint since version 18, is the column's; CREATE CONSTRAINT
// TRIGGER a trigger. A partition's part of a foreign key is made, and named,
// by the server. A constraint's index is a part of it.
SchemaQuery TableConstraints(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'constraint'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "k.conname",
      .needed_schema = "coalesce(fn.nspname, '')",
      .needed_relation = "coalesce(f.relname, '')",
      .facets =
          {{"definition", std::string(kConstraintDefinition)},
           {"valid", ValidSql(context)},
           {"enforced", EnforcedSql(context)},
           {"firing of its triggers",
            absl::StrCat("(SELECT string_agg(DISTINCT ",
                         FiringStateSql("g.tgenabled"),
                         ", ', ') FROM pg_trigger g WHERE g.tgconstraint ="
                         " k.oid AND g.tgisinternal)")},
           {"valid index", "x.indisvalid AND x.indisready AND x.indislive"},
           {"clustering", "CASE WHEN x.indisclustered THEN 'clustered' END"},
           {"storage parameters", SortedSql("i.reloptions")}},
      .from = absl::StrCat(
          "FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_index x ON x.indexrelid = k.conindid"
          " AND k.contype IN ('p', 'u', 'x')"
          " LEFT JOIN pg_class i ON i.oid = x.indexrelid"
          " LEFT JOIN pg_class f ON f.oid = k.confrelid"
          " LEFT JOIN pg_namespace fn ON fn.oid = f.relnamespace"
          " WHERE k.contype IN ('c', 'f', 'p', 'u', 'x')"
          " AND (k.contype <> 'f' OR ",
          NotInheritedSql(context.version), ") AND", kUserSchema, " AND",
          NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_constraint", "k.oid", "", "", "", query);
  return query;
}

SchemaQuery DomainConstraints(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'constraint'",
      .schema = "n.nspname",
      .relation = "t.typname",
      .name = "k.conname",
      .facets = {{"definition", std::string(kConstraintDefinition)},
                 {"valid", ValidSql(context)}},
      .from = absl::StrCat(
          "FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid"
          " JOIN pg_namespace n ON n.oid = t.typnamespace"
          " WHERE k.contype = 'c' AND",
          kUserSchema, " AND", NotOfExtension("pg_type", "t.oid"))};
  AddCommonFacets(context, "pg_constraint", "k.oid", "", "", "", query);
  return query;
}

SchemaQuery Indexes(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'index'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "i.relname",
      .named_by_schema = true,
      .facets =
          {{"definition", "pg_get_indexdef(i.oid)"},
           {"valid", "x.indisvalid AND x.indisready AND x.indislive"},
           {"clustering", "CASE WHEN x.indisclustered THEN 'clustered' END"},
           {"parent index",
            "(SELECT p.relname FROM pg_inherits h JOIN pg_class p"
            " ON p.oid = h.inhparent WHERE h.inhrelid = i.oid)"},
           {"statistics targets",
            "(SELECT string_agg(a.attnum || ': ' || a.attstattarget, ', '"
            " ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.oid"
            " AND a.attstattarget >= 0)"}},
      .from = absl::StrCat(
          "FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid"
          " JOIN pg_class c ON c.oid = x.indrelid"
          " JOIN pg_namespace n ON n.oid = i.relnamespace"
          " WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'"
          " AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid ="
          " i.oid AND k.contype IN ('p', 'u', 'x')) AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_class", "i.oid", "", "", "", query);
  return query;
}

// A trigger of a partition that is its parent's is internal in some versions
// and not in others; those of foreign keys and deferrable keys never count.
SchemaQuery Triggers(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'trigger'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "g.tgname",
      .facets = {{"definition", "pg_get_triggerdef(g.oid)"},
                 {"state", FiringStateSql("g.tgenabled")}},
      .from = absl::StrCat(
          "FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " LEFT JOIN pg_constraint k ON k.oid = g.tgconstraint"
          " WHERE (g.tgconstraint = 0 OR k.contype = 't') AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_trigger", "g.oid", "", "", "", query);
  return query;
}

SchemaQuery Rules(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'rule'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "w.rulename",
      .facets = {{"definition", "pg_get_ruledef(w.oid)"},
                 {"state", FiringStateSql("w.ev_enabled")}},
      .from = absl::StrCat(
          "FROM pg_rewrite w JOIN pg_class c ON c.oid = w.ev_class"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " WHERE w.rulename <> '_RETURN' AND",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_rewrite", "w.oid", "", "", "", query);
  return query;
}

SchemaQuery Policies(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'policy'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "p.polname",
      .facets =
          {{"command",
            "CASE p.polcmd WHEN '*' THEN 'ALL' WHEN 'r' THEN"
            " 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE'"
            " ELSE 'DELETE' END"},
           {"strictness",
            "CASE WHEN p.polpermissive THEN 'permissive' ELSE"
            " 'restrictive' END"},
           {"roles",
            "(SELECT string_agg(CASE WHEN r = 0 THEN 'PUBLIC' ELSE"
            " pg_get_userbyid(r)::text END, ', ' ORDER BY"
            " pg_get_userbyid(r)::text COLLATE \"C\") FROM unnest(p.polroles)"
            " r)"},
           {"USING clause", "pg_get_expr(p.polqual, p.polrelid)"},
           {"WITH CHECK clause", "pg_get_expr(p.polwithcheck, p.polrelid)"}},
      .from = absl::StrCat(
          "FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid"
          " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_policy", "p.oid", "", "", "", query);
  return query;
}

SchemaQuery Statistics(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'statistics'",
      .schema = "n.nspname",
      .relation = "c.relname",
      .name = "s.stxname",
      .named_by_schema = true,
      .facets = {{"definition", "pg_get_statisticsobjdef(s.oid)"},
                 {"statistics target",
                  context.Since(130000, "nullif(s.stxstattarget, -1)", "''")}},
      .from = absl::StrCat(
          "FROM pg_statistic_ext s JOIN pg_class c ON c.oid = s.stxrelid"
          " JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE",
          kUserSchema, " AND", NotOfExtension("pg_class", "c.oid"))};
  AddCommonFacets(context, "pg_statistic_ext", "s.oid", "s.stxowner", "", "",
                  query);
  return query;
}

}  // namespace

std::vector<SchemaQuery> TablePartQueries(const SchemaQueryContext& context) {
  return {TableConstraints(context),
          DomainConstraints(context),
          Indexes(context),
          Triggers(context),
          Rules(context),
          Policies(context),
          Statistics(context)};
}

}  // namespace walferry
