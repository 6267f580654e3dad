// What has no schema: schemas themselves, extensions, event triggers, foreign
// servers, default privileges, and the database.

#include "absl/strings/str_cat.h"
#include "engine/verify/schema_query.h"

namespace walferry {
namespace {

SchemaQuery Schemas(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'schema'",
      .name = "n.nspname",
      .needed_schema = "n.nspname",
      .from = absl::StrCat("FROM pg_namespace n WHERE", kUserSchema, " AND",
                           NotOfExtension("pg_namespace", "n.oid"))};
  AddCommonFacets(context, "pg_namespace", "n.oid", "n.nspowner", "n.nspacl",
                  "n", query);
  return query;
}

SchemaQuery Extensions(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'extension'",
      .name = "e.extname",
      .facets = {{"version", "e.extversion"}, {"schema", "n.nspname"}},
      .from =
          "FROM pg_extension e JOIN pg_namespace n"
          " ON n.oid = e.extnamespace"};
  AddCommonFacets(context, "pg_extension", "e.oid", "", "", "", query);
  return query;
}

SchemaQuery EventTriggers(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'event trigger'",
      .name = "t.evtname",
      .facets = {{"event", "t.evtevent"},
                 {"tags", SortedSql("t.evttags")},
                 {"function", "t.evtfoid::regproc"},
                 {"state", FiringStateSql("t.evtenabled")}},
      .from = absl::StrCat("FROM pg_event_trigger t WHERE",
                           NotOfExtension("pg_event_trigger", "t.oid"))};
  AddCommonFacets(context, "pg_event_trigger", "t.oid", "t.evtowner", "", "",
                  query);
  return query;
}

SchemaQuery ForeignDataWrappers(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'foreign data wrapper'",
      .name = "w.fdwname",
      .facets = {{"handler", "nullif(w.fdwhandler, 0)::regproc"},
                 {"validator", "nullif(w.fdwvalidator, 0)::regproc"},
                 {"options", SortedSql("w.fdwoptions")}},
      .from = absl::StrCat("FROM pg_foreign_data_wrapper w WHERE",
                           NotOfExtension("pg_foreign_data_wrapper", "w.oid"))};
  AddCommonFacets(context, "pg_foreign_data_wrapper", "w.oid", "w.fdwowner",
                  "w.fdwacl", "F", query);
  return query;
}

SchemaQuery ForeignServers(const SchemaQueryContext& context) {
  SchemaQuery query{
      .kind = "'server'",
      .name = "s.srvname",
      .facets = {{"foreign data wrapper", "w.fdwname"},
                 {"type", "s.srvtype"},
                 {"version", "s.srvversion"},
                 {"options", SortedSql("s.srvoptions")}},
      .from =
          absl::StrCat("FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w"
                       " ON w.oid = s.srvfdw WHERE",
                       NotOfExtension("pg_foreign_server", "s.oid"))};
  AddCommonFacets(context, "pg_foreign_server", "s.oid", "s.srvowner",
                  "s.srvacl", "S", query);
  return query;
}

// Of options that the role may not see nothing is known but that.
SchemaQuery UserMappings() {
  return {.kind = "'user mapping'",
          .name = "''",
          .detail =
              "concat('FOR ', CASE WHEN u.umuser = 0 THEN 'public' ELSE"
              " u.usename END, ' SERVER ', u.srvname)",
          .facets = {{"options", SortedSql("u.umoptions")}},
          .from = "FROM pg_user_mappings u"};
}

SchemaQuery DefaultPrivileges(const SchemaQueryContext& context) {
  return {.kind = "'default privileges'",
          .name = "''",
          .detail =
              "concat('of ', pg_get_userbyid(d.defaclrole), CASE WHEN"
              " n.nspname IS NULL THEN '' ELSE ' in schema ' || n.nspname"
              " END, ' on ', CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN"
              " 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN"
              " 'types' WHEN 'n' THEN 'schemas' WHEN 'L' THEN"
              " 'large objects' END)",
          .needed_schema = "coalesce(n.nspname, '')",
          .facets = {{"privileges",
                      PrivilegesSql(context, "d.defaclacl", "d.defaclrole")}},
          .from =
              "FROM pg_default_acl d LEFT JOIN pg_namespace n"
              " ON n.oid = d.defaclnamespace"};
}

SchemaQuery Database(const SchemaQueryContext& context) {
  const std::string provider = context.Since(150000, "d.datlocprovider", "'c'");
  SchemaQuery query{
      .kind = "'database'",
      // Their names need not be the same.
      .name = "''",
      .facets =
          {{"encoding", "pg_encoding_to_char(d.encoding)"},
           {"LC_COLLATE", "d.datcollate"},
           {"LC_CTYPE", "d.datctype"},
           {"locale provider",
            absl::StrCat("CASE ", provider,
                         " WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE"
                         " 'libc' END")},
           {"locale",
            context.Since(170000, "d.datlocale",
                          context.Since(150000, "d.daticulocale", "''"))},
           {"settings",
            "(SELECT string_agg(coalesce('of ' || r.rolname || ': ', '') || e,"
            " ', ' ORDER BY coalesce(r.rolname::text, '') COLLATE \"C\","
            " e COLLATE \"C\") FROM pg_db_role_setting s CROSS JOIN"
            " unnest(s.setconfig) e LEFT JOIN pg_roles r ON r.oid = s.setrole"
            " WHERE s.setdatabase = d.oid)"}},
      .from = "FROM pg_database d WHERE d.datname = current_database()"};
  if (context.oldest >= 150000) {
    query.facets.push_back({"collation version", "d.datcollversion"});
  }
  return query;
}

}  // namespace

std::vector<SchemaQuery> DatabaseQueries(const SchemaQueryContext& context) {
  std::vector<SchemaQuery> queries = {
      Schemas(context),        Extensions(context),
      EventTriggers(context),  ForeignDataWrappers(context),
      ForeignServers(context), UserMappings(),
      Database(context)};
  if (context.privileges) queries.push_back(DefaultPrivileges(context));
  return queries;
}

}  // namespace walferry
