// Functions and what is made of them: aggregates, operators, their classes,
// casts, languages, transforms, conversions, access methods.

#include "absl/strings/str_cat.h"
#include "engine/connect/old_servers.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

// Whether a name needs pg_catalog before it depends on what else has the name.
std::string PlainNames(absl::string_view sql) {
  return absl::StrCat("replace(", sql, ", 'pg_catalog.', '')");
}

// In words of our own: no server describes an aggregate.
std::string AggregateSql(const SchemaQueryContext& context) {
  const std::string modify = context.Since(
      110000, "'finalmodify', g.aggfinalmodify, g.aggmfinalmodify", "''");
  return PlainNames(absl::StrCat(
      "(SELECT concat_ws(' ', 'returns', format_type(p.prorettype, NULL),"
      " 'arguments', pg_get_function_arguments(p.oid), 'kind', g.aggkind,"
      " g.aggnumdirectargs, 'sfunc', g.aggtransfn, 'stype',"
      " format_type(g.aggtranstype, NULL), g.aggtransspace, 'finalfunc',"
      " g.aggfinalfn, g.aggfinalextra, 'combinefunc', g.aggcombinefn,"
      " 'serialfunc', g.aggserialfn, 'deserialfunc', g.aggdeserialfn, 'msfunc',"
      " g.aggmtransfn, 'minvfunc', g.aggminvtransfn, 'mstype',"
      " g.aggmtranstype::regtype, g.aggmtransspace, 'mfinalfunc',"
      " g.aggmfinalfn, g.aggmfinalextra, 'sortop', g.aggsortop::regoperator,"
      " 'initcond', quote_nullable(g.agginitval), 'minitcond',"
      " quote_nullable(g.aggminitval), 'parallel', p.proparallel",
      context.oldest >= 110000 ? absl::StrCat(", ", modify) : "",
      ") FROM pg_aggregate g WHERE g.aggfnoid = p.oid)"));
}

SchemaQuery Routines(const SchemaQueryContext& context) {
  const absl::string_view kind = RoutineKindSql(context.version);
  SchemaQuery query{
      .kind = absl::StrCat("CASE (", kind,
                           ") WHEN 'a' THEN 'aggregate' WHEN 'p' THEN"
                           " 'procedure' ELSE 'function' END"),
      .schema = "n.nspname",
      .name = "p.proname",
      .detail = "'(' || oidvectortypes(p.proargtypes) || ')'",
      .facets = {{"definition",
                  absl::StrCat("CASE WHEN (", kind, ") = 'a' THEN ",
                               AggregateSql(context),
                               " ELSE pg_get_functiondef(p.oid) END")}},
      // Internal: what a range type brings along.
      .from = absl::StrCat(
          "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
          " WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid ="
          " 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'i') AND",
          kUserSchema, " AND", NotOfExtension("pg_proc", "p.oid"))};
  AddCommonFacets(context, "pg_proc", "p.oid", "p.proowner", "p.proacl", "f",
                  query);
  return query;
}

SchemaQuery Operators(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'operator'",
      .schema = "n.nspname",
      .name = "o.oprname",
      .detail =
          "concat('(', CASE WHEN o.oprleft = 0 THEN 'NONE' ELSE"
          " format_type(o.oprleft, NULL) END, ', ',"
          " format_type(o.oprright, NULL), ')')",
      .facets = {{"function", PlainNames("o.oprcode::text")},
                 {"commutator", "nullif(o.oprcom, 0)::regoperator"},
                 {"negator", "nullif(o.oprnegate, 0)::regoperator"},
                 {"restriction estimator", PlainNames("o.oprrest::text")},
                 {"join estimator", PlainNames("o.oprjoin::text")},
                 {"hashing", "CASE WHEN o.oprcanhash THEN 'hashes' END"},
                 {"merging", "CASE WHEN o.oprcanmerge THEN 'merges' END"}},
      .from = absl::StrCat(
          "FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace"
          " WHERE",
          kUserSchema, " AND", NotOfExtension("pg_operator", "o.oid"))};
  AddCommonFacets(context, "pg_operator", "o.oid", "o.oprowner", "", "", query);
  return query;
}

SchemaQuery OperatorFamilies(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'operator family'",
      .schema = "n.nspname",
      .name = "f.opfname",
      .detail = "' USING ' || m.amname",
      .facets =
          {{"operators",
            "(SELECT string_agg(e.t, ', ' ORDER BY e.t COLLATE \"C\") FROM"
            " (SELECT concat_ws(' ', a.amopstrategy, a.amopopr::regoperator,"
            " a.amoppurpose, (SELECT s.opfname FROM pg_opfamily s WHERE s.oid ="
            " a.amopsortfamily)) AS t FROM pg_amop a WHERE a.amopfamily ="
            " f.oid) e)"},
           {"functions",
            "(SELECT string_agg(e.t, ', ' ORDER BY e.t COLLATE \"C\") FROM"
            " (SELECT concat_ws(' ', a.amprocnum, format_type(a.amproclefttype,"
            " NULL), format_type(a.amprocrighttype, NULL), " +
                PlainNames("a.amproc::text") +
                ") AS t FROM pg_amproc a WHERE a.amprocfamily = f.oid) e)"}},
      .from = absl::StrCat(
          "FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace"
          " JOIN pg_am m ON m.oid = f.opfmethod WHERE",
          kUserSchema, " AND", NotOfExtension("pg_opfamily", "f.oid"))};
  AddCommonFacets(context, "pg_opfamily", "f.oid", "f.opfowner", "", "", query);
  return query;
}

SchemaQuery OperatorClasses(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'operator class'",
      .schema = "n.nspname",
      .name = "o.opcname",
      .detail = "' USING ' || m.amname",
      .facets = {{"type", "format_type(o.opcintype, NULL)"},
                 {"stored type",
                  "CASE WHEN o.opckeytype <> 0 THEN"
                  " format_type(o.opckeytype, NULL) END"},
                 {"default", "CASE WHEN o.opcdefault THEN 'default' END"},
                 {"family", "f.opfname"}},
      .from = absl::StrCat(
          "FROM pg_opclass o JOIN pg_namespace n ON n.oid = o.opcnamespace"
          " JOIN pg_am m ON m.oid = o.opcmethod"
          " JOIN pg_opfamily f ON f.oid = o.opcfamily WHERE",
          kUserSchema, " AND", NotOfExtension("pg_opclass", "o.oid"))};
  AddCommonFacets(context, "pg_opclass", "o.oid", "o.opcowner", "", "", query);
  return query;
}

// The schema, of two types, that is not the system's.
constexpr absl::string_view kCastSchema =
    "(SELECT coalesce(max(tn.nspname::text), '') FROM pg_type t JOIN"
    " pg_namespace tn ON tn.oid = t.typnamespace WHERE t.oid IN"
    " (c.castsource, c.casttarget) AND tn.nspname !~ '^pg_')";

SchemaQuery Casts(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'cast'",
      .name = "''",
      .detail =
          "concat('(', format_type(c.castsource, NULL), ' AS ',"
          " format_type(c.casttarget, NULL), ')')",
      .needed_schema = std::string(kCastSchema),
      .facets = {{"function", PlainNames("nullif(c.castfunc, 0)::regprocedure"
                                         "::text")},
                 {"method", "c.castmethod"},
                 {"context", "c.castcontext"}},
      // Internal: what a multirange type brings along.
      .from = absl::StrCat(
          "FROM pg_cast c WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE"
          " d.classid = 'pg_cast'::regclass AND d.objid = c.oid"
          " AND d.deptype = 'i') AND",
          NotOfInitdb("c.oid"), " AND", NotOfExtension("pg_cast", "c.oid"))};
  AddCommonFacets(context, "pg_cast", "c.oid", "", "", "", query);
  return query;
}

SchemaQuery Languages(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'language'",
      .name = "l.lanname",
      .facets = {{"trust", "CASE WHEN l.lanpltrusted THEN 'trusted' END"},
                 {"handler", "nullif(l.lanplcallfoid, 0)::regproc"},
                 {"inline handler", "nullif(l.laninline, 0)::regproc"},
                 {"validator", "nullif(l.lanvalidator, 0)::regproc"}},
      .from = absl::StrCat("FROM pg_language l WHERE", NotOfInitdb("l.oid"),
                           " AND", NotOfExtension("pg_language", "l.oid"))};
  AddCommonFacets(context, "pg_language", "l.oid", "l.lanowner", "l.lanacl",
                  "l", query);
  return query;
}

SchemaQuery Transforms(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'transform'",
      .name = "''",
      .detail =
          "concat('FOR ', format_type(t.trftype, NULL), ' LANGUAGE ',"
          " l.lanname)",
      .facets = {{"function from SQL", "t.trffromsql"},
                 {"function to SQL", "t.trftosql"}},
      .from = absl::StrCat(
          "FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE",
          NotOfExtension("pg_transform", "t.oid"))};
  AddCommonFacets(context, "pg_transform", "t.oid", "", "", "", query);
  return query;
}

SchemaQuery Conversions(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'conversion'",
      .schema = "n.nspname",
      .name = "c.conname",
      .facets = {{"encoding converted from",
                  "pg_encoding_to_char(c.conforencoding)"},
                 {"encoding converted to",
                  "pg_encoding_to_char(c.contoencoding)"},
                 {"function", "c.conproc"},
                 {"default", "CASE WHEN c.condefault THEN 'default' END"}},
      .from = absl::StrCat(
          "FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace"
          " WHERE",
          kUserSchema, " AND", NotOfExtension("pg_conversion", "c.oid"))};
  AddCommonFacets(context, "pg_conversion", "c.oid", "c.conowner", "", "",
                  query);
  return query;
}

SchemaQuery AccessMethods(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'access method'",
      .name = "m.amname",
      .facets = {{"type", "m.amtype"}, {"handler", "m.amhandler"}},
      .from = absl::StrCat("FROM pg_am m WHERE", NotOfInitdb("m.oid"), " AND",
                           NotOfExtension("pg_am", "m.oid"))};
  AddCommonFacets(context, "pg_am", "m.oid", "", "", "", query);
  return query;
}

}  // namespace

std::vector<SchemaQuery> RoutineQueries(const SchemaQueryContext& context) {
  return {
      Routines(context),        Operators(context),   OperatorFamilies(context),
      OperatorClasses(context), Casts(context),       Languages(context),
      Transforms(context),      Conversions(context), AccessMethods(context)};
}

}  // namespace walferry
