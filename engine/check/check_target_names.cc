// Checks: what is on the target already under the names of what will be
// created.

#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "engine/check/check_context.h"
#include "engine/name_some.h"
#include "protocol/quoting.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// Of these catalogs every object that a user made: those in a schema, with the
// column that says in which, and those in none.
std::string OthersSql() {
  std::string sql =
      "SELECT 'pg_type'::regclass AS catalog, t.oid, typnamespace AS schema"
      " FROM pg_type t LEFT JOIN pg_class c ON c.oid = t.typrelid"
      " WHERE t.typtype IN ('d', 'e', 'r') OR c.relkind = 'c'";
  constexpr const char* kCatalogs[][2] = {{"pg_proc", "pronamespace"},
                                          {"pg_operator", "oprnamespace"},
                                          {"pg_opclass", "opcnamespace"},
                                          {"pg_opfamily", "opfnamespace"},
                                          {"pg_collation", "collnamespace"},
                                          {"pg_conversion", "connamespace"},
                                          {"pg_ts_config", "cfgnamespace"},
                                          {"pg_ts_dict", "dictnamespace"},
                                          {"pg_ts_parser", "prsnamespace"},
                                          {"pg_ts_template", "tmplnamespace"},
                                          {"pg_cast", "0"},
                                          {"pg_foreign_data_wrapper", "0"},
                                          {"pg_foreign_server", "0"},
                                          {"pg_event_trigger", "0"},
                                          {"pg_transform", "0"},
                                          {"pg_am", "0"}};
  for (const auto& [catalog, schema] : kCatalogs) {
    absl::StrAppend(&sql, " UNION ALL SELECT '", catalog, "'::regclass, oid, ",
                    schema, " FROM ", catalog);
  }
  return sql;
}

// All but relations, in scope and by their identity; none of an extension's,
// none that came with the server (16384: FirstNormalObjectId).
std::string IdentitiesSql(const CheckContext& check) {
  return absl::StrCat(
      "SELECT i.type || ' ' || i.identity FROM (", OthersSql(),
      ") o CROSS JOIN pg_identify_object(o.catalog, o.oid, 0) i"
      " WHERE o.oid >= 16384 AND (o.schema = 0 OR o.schema IN"
      " (SELECT oid FROM pg_namespace WHERE nspname = ANY (",
      QuoteTextArray(check.schemas),
      "))) AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'"
      " AND d.classid = o.catalog AND d.objid = o.oid) ORDER BY 1");
}

absl::StatusOr<absl::flat_hash_set<QualifiedName>> TargetRelations(
    CheckContext& check) {
  ASSIGN_OR_RETURN(
      const PgResult rows,
      check.target.Exec(absl::StrCat(
          "SELECT n.nspname, c.relname FROM pg_class c"
          " JOIN pg_namespace n ON n.oid = c.relnamespace"
          " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
          " AND n.nspname = ANY (",
          QuoteTextArray(check.schemas),
          ") AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.deptype = 'e'"
          " AND d.classid = 'pg_class'::regclass AND d.objid = c.oid)")));
  absl::flat_hash_set<QualifiedName> names;
  for (int row = 0; row < rows.rows(); ++row) {
    names.insert(
        {std::string(rows.Text(row, 0)), std::string(rows.Text(row, 1))});
  }
  return names;
}

absl::StatusOr<std::vector<std::string>> Clashes(CheckContext& check) {
  ASSIGN_OR_RETURN(const absl::flat_hash_set<QualifiedName> there,
                   TargetRelations(check));
  std::vector<std::string> clashes;
  for (const IncludedRelation& relation : check.relations) {
    if (there.contains(relation.name)) {
      clashes.push_back(ToDisplay(relation.name));
    }
  }
  const std::string sql = IdentitiesSql(check);
  ASSIGN_OR_RETURN(const std::vector<std::string> on_source,
                   QueryColumn(check.source, sql));
  ASSIGN_OR_RETURN(const std::vector<std::string> on_target,
                   QueryColumn(check.target, sql));
  const absl::flat_hash_set<std::string> others(on_target.begin(),
                                                on_target.end());
  for (const std::string& object : on_source) {
    if (others.contains(object)) clashes.push_back(object);
  }
  return clashes;
}

// Of those that a comparison looks at.
absl::StatusOr<std::vector<std::string>> OtherTables(CheckContext& check) {
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create(check.options.scope));
  ASSIGN_OR_RETURN(const Catalog target,
                   ReadCatalog(check.target, scope, CatalogSizes::kNo));
  std::vector<std::string> others;
  for (const CatalogTable& table : target.tables) {
    if (table.name.schema == check.options.endpoints.ledger_schema ||
        check.catalog.Find(table.name) != nullptr) {
      continue;
    }
    others.push_back(ToDisplay(table.name));
  }
  return others;
}

absl::Status CheckTargetEmpty(CheckContext& check) {
  if (check.options.drop_target_first && !check.resuming) {
    check.findings.Info(
        {"target-not-empty", "target",
         absl::StrCat("database ", check.target.dbname(),
                      " will be dropped with all that is in it, and made "
                      "again")});
    return absl::OkStatus();
  }
  if (check.resuming) {
    check.findings.Ok({"target-not-empty", "target",
                       "the migration has begun: its objects are there"});
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> clashes, Clashes(check));
  ASSIGN_OR_RETURN(const std::vector<std::string> others, OtherTables(check));
  if (clashes.empty() && !others.empty()) {
    check.findings.Warning(
        {"target-not-empty", "target",
         absl::StrCat("tables are there that the source does not have: ",
                      NameSome(others),
                      "; they stay, and a comparison will say that they are "
                      "too many"),
         "take an empty database, or leave them out with --exclude-table"});
    return absl::OkStatus();
  }
  if (clashes.empty()) {
    check.findings.Ok({"target-not-empty", "target",
                       "nothing there has the name of anything that will be "
                       "created"});
    return absl::OkStatus();
  }
  check.findings.Blocking(
      {"target-not-empty", "target",
       absl::StrCat(CountOf(static_cast<int64_t>(clashes.size()), "object"),
                    " of the source exist there already: ", NameSome(clashes)),
       "drop them on the target, take an empty database, or leave them out "
       "with --exclude-table or --exclude-schema"});
  return absl::OkStatus();
}

// By doing. A role that is missing is another check's.
absl::StatusOr<bool> MayGiveSchemaAway(CheckContext& check,
                                       const std::string& schema,
                                       const std::string& owner) {
  const absl::Status given =
      Probe(check.target, absl::StrCat("ALTER SCHEMA ", QuoteIdentifier(schema),
                                       " OWNER TO ", QuoteIdentifier(owner)));
  if (given.ok() || SqlStateOf(given) == "42704") return true;
  if (SqlStateOf(given).empty()) return given;
  check.findings.Blocking(
      {"target-schema", "target",
       absl::StrCat("schema ", schema,
                    " exists there, and the role may not "
                    "give it to ",
                    owner, ": ", given.message()),
       "drop it on the target, let its owner do that, or --no-owner"});
  return false;
}

// Everybody has a schema public.
absl::Status CheckExistingSchemas(CheckContext& check) {
  if (check.resuming || check.options.drop_target_first) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(
      const std::vector<std::string> there,
      QueryColumn(check.target,
                  absl::StrCat("SELECT nspname FROM pg_namespace"
                               " WHERE nspname <> 'public' AND nspname = ANY (",
                               QuoteTextArray(check.schemas), ") ORDER BY 1")));
  bool usable = true;
  for (const std::string& schema : there) {
    if (check.options.no_owner) break;
    ASSIGN_OR_RETURN(const std::string owner,
                     check.source.QueryValue(absl::StrCat(
                         "SELECT pg_get_userbyid(nspowner) FROM pg_namespace"
                         " WHERE nspname = ",
                         QuoteLiteral(schema))));
    ASSIGN_OR_RETURN(const bool may, MayGiveSchemaAway(check, schema, owner));
    usable = usable && may;
  }
  if (!usable) return absl::OkStatus();
  check.findings.Ok({"target-schema", "target",
                     there.empty()
                         ? "the schemas will be created"
                         : absl::StrCat("schemas that exist there and will be "
                                        "used: ",
                                        NameSome(there))});
  return absl::OkStatus();
}

}  // namespace

std::vector<CheckStep> TargetNameChecks() {
  return {{.id = "target-not-empty",
           .run = CheckTargetEmpty,
           .creating_only = true,
           .in_target = true},
          {.id = "target-schema",
           .run = CheckExistingSchemas,
           .creating_only = true,
           .in_target = true}};
}

}  // namespace walferry
