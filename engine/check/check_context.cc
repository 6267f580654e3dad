#include "engine/check/check_context.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/migration_name.h"
#include "protocol/status.h"

namespace walferry {
namespace {

// All that is in no system schema and that no extension brings along, but for
// the tables that one marks as configuration.
constexpr char kRelationsSql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass"
    " AND d.objid = c.oid AND d.objsubid = 0 AND d.deptype = 'e'"
    " LEFT JOIN pg_extension e ON e.oid = d.refobjid"
    " WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')"
    " AND c.relpersistence <> 't' AND n.nspname !~ '^pg_'"
    " AND n.nspname <> 'information_schema'"
    " AND (e.oid IS NULL OR c.oid = ANY (e.extconfig))";

absl::Status ReadRelations(CheckContext& check) {
  absl::flat_hash_set<QualifiedName> excluded(
      check.catalog.excluded_tables.begin(),
      check.catalog.excluded_tables.end());
  ASSIGN_OR_RETURN(const PgResult rows, check.source.Exec(kRelationsSql));
  for (int row = 0; row < rows.rows(); ++row) {
    IncludedRelation relation;
    ASSIGN_OR_RETURN(const int64_t oid, rows.Int64(row, 0));
    relation.oid = static_cast<uint32_t>(oid);
    relation.name = {std::string(rows.Text(row, 1)),
                     std::string(rows.Text(row, 2))};
    relation.kind = rows.Text(row, 3).front();
    if (excluded.contains(relation.name)) continue;
    check.relations.push_back(std::move(relation));
  }
  std::sort(check.relations.begin(), check.relations.end(),
            [](const IncludedRelation& a, const IncludedRelation& b) {
              return a.name < b.name;
            });
  return absl::OkStatus();
}

}  // namespace

absl::Status PrepareContext(CheckContext& check) {
  const std::string default_name =
      DefaultObjectName(check.options.endpoints.name);
  check.slot = check.options.slot.empty() ? default_name : check.options.slot;
  check.publication = check.options.publication.empty()
                          ? default_name
                          : check.options.publication;
  RETURN_IF_ERROR(ReadRelations(check));
  ASSIGN_OR_RETURN(
      check.schemas,
      QueryColumn(check.source,
                  absl::StrCat("SELECT nspname FROM pg_namespace"
                               " WHERE nspname !~ '^pg_'"
                               " AND nspname <> 'information_schema'"
                               " AND nspname <> ALL (",
                               QuoteTextArray(check.catalog.excluded_schemas),
                               ") ORDER BY nspname::text COLLATE \"C\"")));
  ASSIGN_OR_RETURN(
      const std::string superuser,
      check.target.QueryValue(
          "SELECT rolsuper FROM pg_roles WHERE rolname = current_user"));
  check.target_superuser = superuser == "t";
  if (check.options.scope.carries_schema() || check.target_to_come) {
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const Scope scope, Scope::Create(check.options.scope));
  ASSIGN_OR_RETURN(check.on_target,
                   ReadCatalog(check.target, scope, CatalogSizes::kNo));
  return absl::OkStatus();
}

absl::Status Probe(PgConnection& connection, const std::string& sql) {
  RETURN_IF_ERROR(connection.Exec("SAVEPOINT walferry_probe").status());
  const absl::Status tried = connection.Exec(sql).status();
  RETURN_IF_ERROR(connection
                      .Exec("ROLLBACK TO SAVEPOINT walferry_probe;"
                            " RELEASE SAVEPOINT walferry_probe")
                      .status());
  return tried;
}

absl::StatusOr<std::vector<std::string>> QueryColumn(PgConnection& connection,
                                                     const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult rows, connection.Exec(sql));
  std::vector<std::string> values;
  values.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    values.emplace_back(rows.Text(row, 0));
  }
  return values;
}

absl::StatusOr<int64_t> QueryNumber(PgConnection& connection,
                                    const std::string& sql) {
  ASSIGN_OR_RETURN(const PgResult rows, connection.Exec(sql));
  if (rows.rows() != 1) {
    return absl::InternalError(
        absl::StrCat("one row expected, not ", rows.rows(), ": ", sql));
  }
  return rows.Int64(0, 0);
}

std::string RelationOids(const CheckContext& check, absl::string_view kinds) {
  std::vector<uint32_t> oids;
  for (const IncludedRelation& relation : check.relations) {
    if (absl::StrContains(kinds, relation.kind)) oids.push_back(relation.oid);
  }
  return absl::StrCat("'{", absl::StrJoin(oids, ","), "}'::oid[]");
}

std::string TableOids(const Catalog& catalog,
                      const std::function<bool(const CatalogTable&)>& wanted) {
  std::vector<uint32_t> oids;
  for (const CatalogTable& table : catalog.tables) {
    if (wanted(table)) oids.push_back(table.oid);
  }
  return absl::StrCat("'{", absl::StrJoin(oids, ","), "}'::oid[]");
}

bool IsPublished(const CatalogTable& table) {
  return table.copy_data && !table.unlogged;
}

}  // namespace walferry
