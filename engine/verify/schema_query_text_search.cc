// Text search: parsers, templates, dictionaries, configurations.

#include "absl/strings/str_cat.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

SchemaQuery Parsers(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'text search parser'",
      .schema = "n.nspname",
      .name = "p.prsname",
      .facets = {{"functions",
                  "concat_ws(' ', p.prsstart, p.prstoken,"
                  " p.prsend, p.prsheadline, p.prslextype)"}},
      .from = absl::StrCat(
          "FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace"
          " WHERE",
          kUserSchema, " AND", NotOfExtension("pg_ts_parser", "p.oid"))};
  AddCommonFacets(context, "pg_ts_parser", "p.oid", "", "", "", query);
  return query;
}

SchemaQuery Templates(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'text search template'",
      .schema = "n.nspname",
      .name = "t.tmplname",
      .facets = {{"functions", "concat_ws(' ', t.tmplinit, t.tmpllexize)"}},
      .from = absl::StrCat(
          "FROM pg_ts_template t JOIN pg_namespace n ON n.oid ="
          " t.tmplnamespace WHERE",
          kUserSchema, " AND", NotOfExtension("pg_ts_template", "t.oid"))};
  AddCommonFacets(context, "pg_ts_template", "t.oid", "", "", "", query);
  return query;
}

SchemaQuery Dictionaries(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'text search dictionary'",
      .schema = "n.nspname",
      .name = "d.dictname",
      .facets = {{"template", "t.tmplname"}, {"options", "d.dictinitoption"}},
      .from = absl::StrCat(
          "FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace"
          " JOIN pg_ts_template t ON t.oid = d.dicttemplate WHERE",
          kUserSchema, " AND", NotOfExtension("pg_ts_dict", "d.oid"))};
  AddCommonFacets(context, "pg_ts_dict", "d.oid", "d.dictowner", "", "", query);
  return query;
}

SchemaQuery Configurations(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'text search configuration'",
      .schema = "n.nspname",
      .name = "c.cfgname",
      .facets =
          {{"parser", "p.prsname"},
           {"mapping",
            "(SELECT string_agg(m.maptokentype || ' ' || d.dictname, ', '"
            " ORDER BY m.maptokentype, m.mapseqno) FROM pg_ts_config_map m JOIN"
            " pg_ts_dict d ON d.oid = m.mapdict WHERE m.mapcfg = c.oid)"}},
      .from = absl::StrCat(
          "FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace"
          " JOIN pg_ts_parser p ON p.oid = c.cfgparser WHERE",
          kUserSchema, " AND", NotOfExtension("pg_ts_config", "c.oid"))};
  AddCommonFacets(context, "pg_ts_config", "c.oid", "c.cfgowner", "", "",
                  query);
  return query;
}

}  // namespace

std::vector<SchemaQuery> TextSearchQueries(const SchemaQueryContext& context) {
  return {Parsers(context), Templates(context), Dictionaries(context),
          Configurations(context)};
}

}  // namespace walferry
